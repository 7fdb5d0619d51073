"""The block of results in docs/benchmarks.md, made from ``report.json``, so it never drifts from what was measured."""

from __future__ import annotations

from collections.abc import Iterator

from gars.domain.errors import DataError
from gars.evaluation.baselines.lightgbm import ORDER_NAME
from gars.evaluation.report.markdown import table
from gars.evaluation.report.results import Comparison, LikesResult, ListsResult, Results
from gars.evaluation.report.tables import LIST_METRICS, Table

BLOCK = "results"
LIST_TITLES = {
    "A": "What comes next, from liked titles alone",
    "B": "What comes next, from the whole list with ratings",
    "M": "Users of 2021 and 2023, the whole catalogue to 2026",
    "movielens": "The same on films: MovieLens 100k",
}
LIKE_TITLES = {
    "random": "random 10 % of ratings",
    "per-user": "20 % of each user",
    "cold-users": "users never trained on",
    "movielens": "MovieLens 100k, users never trained on",
}
_LEAK = """\
A public "80 %" for this task is what an ordinary network gets when user statistics are computed from all rows, the
judged ones too. `gars evaluate` refuses such statistics. [evaluation](evaluation.md) says how to read the
numbers, [models](models.md) has each model, its cost and what did not work."""


def replace_block(document: str, name: str, text: str) -> str:
    """Return the document with the text between the marks of this name replaced.

    Raises:
        DataError: the marks of the block are not there.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, opened, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        raise DataError(
            f"the document has no block between {begin} and {end}", hint="put the two marks where it belongs"
        )
    return f"{before}{begin}\n{text}\n{end}{after}"


def replace_results(document: str, results: Results) -> str:
    """Return the document with the block of results made anew.

    Raises:
        DataError: the marks of the block are not there.
    """
    return replace_block(document, BLOCK, block(results))


def block(results: Results) -> str:
    """Tables of both tasks with what was run, where and of which commit."""
    return "\n".join(_parts(results)).strip()


def _parts(results: Results) -> Iterator[str]:
    yield _how(results)
    for lists in results.lists:
        scope = f"{lists.users} users left out of training, {lists.items:,} titles ranked"
        yield f"**{LIST_TITLES[lists.protocol]}** ({scope})\n"
        yield table(_list_table(lists), titled=False)
        yield _gain(lists) + "\n"
    if results.likes:
        yield "**Will they rate it above 7?**\n"
        yield table(_like_table(results.likes), titled=False)
    for skipped in results.skipped:
        yield f"Not measured: {skipped.name} ({skipped.protocol}): {skipped.reason}\n"
    yield _LEAK


def _how(results: Results) -> str:
    about, machine = results.about, results.about.machine
    fits = [one.fit_seconds for one in results.lists] + [one.fit_seconds for one in results.likes]
    memory = f", {machine.memory_gb:g} GB" if machine.memory_gb else ""
    held = "held-out *test* rows" if about.part == "test" else "*validation* rows"
    return (
        f"Measured on {held} of the ratings sample (5,000 viewers, 420,000 ratings) with its fixed splits, ranked\n"
        "against **all** titles, never a sample of negatives; 95 % bootstrap intervals over users. Nothing was tuned\n"
        f"on test rows. `make bench-quality` (`{about.command}`), {machine.cpu}, {machine.cores} cores{memory},\n"
        f"{min(fits):.0f} to {max(fits):.0f} s a fit, commit {about.commit or 'unknown'}.\n"
    )


def _list_table(lists: ListsResult) -> Table:
    return Table(
        "",
        ["model", *LIST_METRICS, "coverage@10"],
        [[one.name, *(str(one.metrics[name]) for name in LIST_METRICS), f"{one.coverage:.3f}"] for one in lists.models],
        strong="two stages",
    )


def _like_table(likes: list[LikesResult]) -> Table:
    rows = []
    for result in likes:
        for one in result.models:
            plain = (one.values[name] for name in ("gauc", "log_loss", "ece"))
            rows.append(
                [
                    one.name,
                    LIKE_TITLES[result.protocol],
                    str(one.metrics["accuracy"]),
                    str(one.metrics["auc"]),
                    *("" if value is None else f"{value:.3f}" for value in plain),
                ]
            )
    return Table("", ["model", "held out", "accuracy", "AUC", "GAUC", "log loss", "ECE"], rows, strong="two stages")


def _gain(lists: ListsResult) -> str:
    """In words: the paired gain over the best single model, and over the strongest rival of the ranker."""
    best = lists.comparisons[0]
    summary = f"Both stages against {best.against}, the best single model, on the same users: NDCG@10 {_signed(best)}"
    rival = next((one for one in lists.comparisons if one.against == ORDER_NAME), None)
    return summary + (f"; against {ORDER_NAME}: {_signed(rival)}." if rival else ".")


def _signed(comparison: Comparison) -> str:
    gain = comparison.gains["ndcg@10"]
    return f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
