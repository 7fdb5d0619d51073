"""The report holds what was measured, stands by itself, and the published block is made from it."""

import re
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from gars import Rating, Recommender
from gars.datasets.splits import LikeSplit
from gars.domain.errors import DataError, MissingExtraError
from gars.domain.splits import strong_generalisation
from gars.evaluation import predictors, protocols
from gars.evaluation.baselines import like_rates
from gars.evaluation.report import benchmarks as published
from gars.evaluation.report import likes, lists, plots, results, tables, writing
from gars.evaluation.report.cost import TaskTimes, measured
from gars.evaluation.report.machine import commit, machine
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world


@pytest.fixture(scope="module")
def report() -> results.Results:
    """Both tasks measured on the small world, split by users."""
    interactions, catalogue = small_world()
    rated = interactions.drop_nulls("rating").rename({"item_id": "anime_id"})
    user = rated["user_id"].to_numpy()
    part = strong_generalisation(user, np.random.default_rng(0), validation=0.1, test=0.2, hidden=0.3)
    split = LikeSplit(user, rated["anime_id"].to_numpy(), rated["rating"].to_numpy(), part)
    rows = protocols.all_rows(split)
    training = protocols.like_training(rows, split)
    times = TaskTimes(Silent())
    with measured() as meter:
        fitted = protocols.fit_on(training, catalogue, config=SMALL, seed=0, progress=times)
    engine, items = fitted.engine, fitted.engine.retriever.items
    of_lists = lists.measure(
        [
            *(lists.EvaluatedListModel(one, "channel", timed=False) for one in predictors.channels(engine)),
            lists.EvaluatedListModel(predictors.retrieval(engine), "pipeline"),
            lists.EvaluatedListModel(predictors.BothStages(engine), "pipeline"),
        ],
        fitted,
        protocols.users_of_split(split, "e"),
        items.anime_ids,
        protocol="A",
        data="small world",
        fit_seconds=meter.cost.seconds,
        seed=0,
        progress=Silent(),
    )
    held = split.rows("e")
    of_likes = likes.measure(
        [
            likes.EvaluatedLikeModel(like_rates.item_rate(items), "baseline"),
            likes.EvaluatedLikeModel(like_rates.user_and_item_rate(items), "baseline"),
            likes.EvaluatedLikeModel(predictors.LikeHead(engine), "pipeline"),
        ],
        fitted,
        likes.HeldOutRows(
            split.user[held],
            split.anime_id[held],
            split.rating[held].astype(np.float64),
            protocols.like_histories(rows, split),
        ),
        protocol="cold-users",
        data="small world",
        fit_seconds=meter.cost.seconds,
        cuts=True,
        seed=0,
        progress=Silent(),
    )
    return results.Results(
        about=results.About(
            command="gars evaluate --part test",
            part="test",
            seed=0,
            quick=False,
            commit="abc",
            made="2026-01-01 00:00 UTC",
            machine=machine(),
        ),
        lists=[of_lists],
        likes=[of_likes],
        fits=[results.Fit(protocol="A", model="two stages", cost=meter.cost)],
        tasks=times.tasks("A"),
        skipped=[results.Skipped(protocol="A", name="ials", reason="the iALS baseline needs optional packages")],
    )


def test_the_product_is_compared_with_every_other_model_the_best_first(report: results.Results) -> None:
    compared = report.lists[0].comparisons
    assert compared[0].against == report.lists[0].baseline
    assert {one.against for one in compared} == {one.name for one in report.lists[0].models} - {"two stages"}
    assert all(one.model == "two stages" for one in compared)
    worst = next(one for one in compared if one.against == "popularity").gains["ndcg@10"]
    assert worst.low < worst.mean < worst.high
    assert worst.mean > 0


def test_lists_without_a_title_are_the_popular_ones_and_more_titles_help(report: results.Results) -> None:
    by_name = {one.name: one for one in report.lists[0].models}
    product, popular = (
        {group.name: group.metrics["recall@20"].mean for group in by_name[name].groups if group.kind == "cut"}
        for name in ("two stages", "popularity")
    )
    assert list(product) == ["0", "1", "3"]
    assert product["0"] == popular["0"] == popular["3"]
    assert product["3"] > product["0"]
    assert not [group for group in by_name["edlae"].groups if group.kind == "cut" and group.name == "0"]


def test_groups_part_the_users_and_the_targets(report: results.Results) -> None:
    models = report.lists[0].models
    for one in models:
        by_length = [group.size for group in one.groups if group.kind == "history"]
        assert sum(by_length) == report.lists[0].users
        assert {group.name for group in one.groups if group.kind == "franchise"} == {
            "of a franchise on the list",
            "of a new franchise",
        }
    rows = [group.size for group in report.likes[0].models[0].groups if group.kind == "popularity"]
    assert 0 < sum(rows) <= report.likes[0].rows


def test_what_lists_are_like_stays_in_its_range(report: results.Results) -> None:
    by_name = {one.name: one for one in report.lists[0].models}
    for one in by_name.values():
        assert one.diversity is not None
        assert 0 <= one.diversity <= 1
        assert one.gini is not None
        assert 0 <= one.gini < 1
    popular, product = by_name["popularity"], by_name["two stages"]
    assert popular.novelty is not None
    assert product.novelty is not None
    assert popular.novelty < product.novelty
    assert (popular.gini or 0) > (product.gini or 0)
    assert (popular.head_share or 0) > (product.head_share or 0)


def test_reliability_bins_hold_every_row(report: results.Results) -> None:
    for one in report.likes[0].models:
        assert sum(found_bin.rows for found_bin in one.reliability) == report.likes[0].rows
        gap = sum(abs(b.predicted - b.liked) * b.rows for b in one.reliability) / report.likes[0].rows
        assert gap == pytest.approx(one.values["ece"])


def test_the_fit_has_a_cost_and_its_tasks_are_timed(report: results.Results) -> None:
    cost = report.fits[0].cost
    assert cost.seconds > 0
    assert cost.peak_mb is None or cost.peak_mb > 50
    assert {"ranking model", "ranking examples"} <= {task.label for task in report.tasks}


def test_three_formats_have_the_same_results(report: results.Results, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots need the report extra")
    writing.write(report, tmp_path / "report")
    assert results.read(tmp_path / "report" / "report.json") == report
    best = next(one for one in report.lists[0].models if one.name == "two stages")
    shown = str(best.metrics["ndcg@10"])
    page, text = ((tmp_path / "report" / name).read_text() for name in ("report.html", "report.md"))
    for written in (page, text):
        assert shown in written
        assert "the iALS baseline needs optional packages" in written
        assert "commit abc" in written
    assert page.count("<svg") >= 6
    # nothing is loaded from anywhere: the only addresses are names of XML vocabularies
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\((?!#)", page)
    assert not re.search(r'(?:src|[^:]href)="(?!#)', page)


def test_the_published_block_is_replaced_and_the_rest_stays(report: results.Results) -> None:
    before = "# Title\n<!-- results:begin -->\nold numbers\n<!-- results:end -->\nafter\n"
    after = published.replace_results(before, report)
    assert after.startswith("# Title\n<!-- results:begin -->\n")
    assert after.endswith("\n<!-- results:end -->\nafter\n")
    assert "old numbers" not in after
    assert "gars evaluate --part test" in after
    assert str(report.likes[0].models[-1].metrics["auc"]) in after
    assert "Not measured: ials (A)" in after
    assert published.replace_results(after, report) == after


def test_a_document_without_the_marks_is_left_alone(report: results.Results) -> None:
    with pytest.raises(DataError, match=r"the document has no block between <!-- results:begin -->"):
        published.replace_results("# Title\n", report)


def test_results_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the results cannot be read"):
        results.read(tmp_path / "report.json")
    (tmp_path / "report.json").write_bytes(msgspec.json.encode({"about": 1}))
    with pytest.raises(DataError, match=r"is not a report\.json of this version"):
        results.read(tmp_path / "report.json")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="the plots of the report needs optional packages") as refused:
        plots.require_matplotlib()
    assert refused.value.hint == "pip install 'gars[report]'"


def test_summary_names_the_evaluated_part(report: results.Results) -> None:
    table = tables.summary(report.lists[0], report.about)
    assert table.title.startswith("Lists, protocol A: 29 test users of the small world, 60 items, fit ")
    assert table.header == ["model", "recall@20", "recall@50", "ndcg@10", "ndcg@100", "coverage@10"]
    assert tables.summary(report.likes[0], report.about).header[-1] == "ECE"


def test_the_machine_and_the_commit_are_known() -> None:
    assert machine().cores >= 1
    assert machine().cpu
    assert re.fullmatch(r"([0-9a-f]{10}\+?)?", commit())


def test_a_cut_history_shows_less_and_ranks_the_same(small: Recommender) -> None:
    interactions = small_world()[0].filter(pl.col("user_id") == 3)
    history = [Rating(int(i), None) for i in interactions["item_id"]]
    case = predictors.EvalUser(history[2:], np.array([one.anime_id for one in history[:2]]))
    (shorter,) = protocols.cut([case], 3, np.random.default_rng(0))
    assert len(shorter.history) == 3
    assert {one.anime_id for one in shorter.history} | set(shorter.kept_out.tolist()) == {
        one.anime_id for one in case.history
    }
    model = predictors.BothStages(small.engine)
    for one in (case, shorter):
        ranked = predictors.rank_lists([model], small, [one], small.item_ids, Silent())["two stages"].rows[0]
        assert sorted(small.item_ids[ranked[ranked >= 0]]) == sorted(
            set(small.item_ids.tolist()) - {rating.anime_id for rating in case.history}
        )
