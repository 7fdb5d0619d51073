"""Other libraries on the same split, the same machine and by the same protocol as ``foreign.py``.

    python benchmarks/libraries.py --data gowalla --envs ENVS

Each model of ``library_models.py`` runs in a process of its own, with the interpreter of its library's environment,
``ENVS/NAME/bin/python``: the pins of these libraries exclude each other. To make one:

    python -m venv ENVS/rectools && ENVS/rectools/bin/pip install rectools numpy scipy
    python -m venv ENVS/recbole && ENVS/recbole/bin/pip install recbole 'numpy<2' 'pandas<2.3' 'scipy<1.14'

NAME and distribution are in ``MODELS`` there. GARS and, without an environment of its own, ``implicit`` run here.
An environment that is missing, or a model that fails, needs more than ``--memory`` or takes longer than ``--limit``
seconds of processor time, is a row that says so. All items but the user's training items are ranked; lists are asked
for ``--users`` users drawn by the seed (0: all). Prints R@20 and N@20 with intervals over users, seconds of fitting
(wall clock, and of processor), peak memory, users a second for 100 items each and milliseconds of processor time a
user, and lines of code of the recipe.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from foreign import CUT, Data, load, mirror, row_of
from gars.evaluation.report.machine import commit, machine
from library_models import MODELS

HEADER = f"| model | users | R@{CUT} | N@{CUT} | fit, s (processor) | peak, GB | users/s (ms) | lines | version |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", default="gowalla")
    options.add_argument("--mirror", type=Path, default=mirror())
    options.add_argument("--home", type=Path, default=Path("var"))
    options.add_argument("--envs", type=Path, default=Path("var/envs"))
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--users", type=int, default=0)
    options.add_argument("--limit", type=int, default=600, help="seconds of processor time of one model")
    options.add_argument("--memory", type=int, default=16, help="GB one model may allocate")
    options.add_argument("--only", default="", help="models whose name holds this text")
    given = options.parse_args()
    data, here = load(given.data, given.mirror, given.home, given.seed), machine()
    print(
        f"`python benchmarks/libraries.py --data {Path(given.data).name} --users {given.users}`, {here.cores} cores of"
    )
    print(f"{here.cpu}, load {os.getloadavg()[0]:.0f}, Python {here.python}, commit {commit()}.\n")
    print(f"{HEADER}\n|{'---|' * HEADER.count(' | ')}---|", flush=True)
    users = np.array(sorted(data.targets), np.int64)
    if given.users:
        users = np.sort(np.random.default_rng(given.seed).permutation(users)[: given.users])
    with tempfile.TemporaryDirectory() as scratch:
        items = _write_split(data, users, Path(scratch) / "split.npz")
        for name, (environment, _, _) in MODELS.items():
            if given.only in name:
                python = given.envs / environment / "bin" / "python"
                found = _run(name, python, Path(scratch), given.limit, given.memory)
                print(_row(name, found, items, users, data, given.seed), flush=True)


def _write_split(data: Data, users: np.ndarray[Any, Any], path: Path) -> np.ndarray[Any, Any]:
    """Write the split with positions for ids; return the ids of the items by position."""
    known, user = np.unique(data.training["user_id"].to_numpy(), return_inverse=True)
    items, item = np.unique(data.training["item_id"].to_numpy(), return_inverse=True)
    wanted, sizes = np.searchsorted(known, users), np.array([len(known), len(items)])
    np.savez(path, user=user, item=item, wanted=wanted, sizes=sizes)
    return items


def _run(name: str, python: Path, scratch: Path, limit: int, memory: int) -> dict[str, Any] | str:
    """Run one model; return what it measured, with its ``lists``, or why there is nothing."""
    models, out = Path(__file__).with_name("library_models.py"), scratch / "lists.npy"
    if not python.exists():
        if MODELS[name][0] not in ("gars", "implicit"):
            return f"no environment {python.parent.parent}"
        python = Path(sys.executable)
    done = subprocess.run(
        [str(python), str(models), name, str(scratch / "split.npz"), str(out)],
        capture_output=True, text=True, check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=partial(_limit, limit, memory * 10**9),
    )  # fmt: skip
    measured = [line for line in done.stdout.splitlines() if line.startswith("MEASURED ")]
    if not measured:
        if done.returncode == -signal.SIGXCPU:
            return f"stopped after {limit} s of processor time"
        if "MemoryError" in done.stderr or "bad_alloc" in done.stderr:
            return f"needs more than {memory} GB"
        if done.returncode < 0:
            return f"ended by {signal.Signals(-done.returncode).name}"
        return f"failed: {(done.stderr.strip() or 'no output').splitlines()[-1][:160]}"
    found: dict[str, Any] = json.loads(measured[0].partition(" ")[2])
    return found | {"lists": np.load(out)}


def _limit(seconds: int, octets: int) -> None:
    """Limit this process; the soft limit of processor time ends it by a signal that names the cause."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_DATA, (octets, octets))


def _row(
    name: str,
    found: dict[str, Any] | str,
    items: np.ndarray[Any, Any],
    users: np.ndarray[Any, Any],
    data: Data,
    seed: int,
) -> str:
    if isinstance(found, str):
        return f"| {name} | {found} |"
    lists = np.where(found["lists"] >= 0, items[found["lists"]], -1)
    rate, each = len(users) / found["score"], 1000 * found["score_cpu"] / len(users)
    return (
        f"{row_of(name, lists[:, :CUT], users, data, seed)} {found['fit']:.0f} ({found['fit_cpu']:.0f}) | "
        f"{found['peak_gb']:.1f} | {rate:,.0f} ({each:.2f}) | {found['lines']} | {found['version']} |"
    )


if __name__ == "__main__":
    main()
