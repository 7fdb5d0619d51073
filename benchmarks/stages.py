"""What a list costs each of its three services in a cluster: api, recall and rank.

    gars data build && gars train --home var          # a model to serve
    python benchmarks/stages.py --home var

The services are started for it, with stores of their own; the load generator is wrk, on the same machine, asking for
one user after the other and never for one whose list is still kept. "lists a processor second" is the number of lists
made divided by the processor time of the service: what one processor could make at most, and less disturbed by other
work than lists a second of the clock. deploy/kubernetes/components/lists-per-second is computed from it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import wrk
from gars import Recommender
from gars_test_support.server import ServerProcess
from serve import WARM_UP_S, lists_made

_NOWHERE = "redis://127.0.0.1:9/0"
"""Recall and rank read no state for the lists of an api."""


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--connections", type=int, default=8)
    args = options.parse_args()
    users = [str(user) for user in Recommender.load(args.home / "models" / "current").user_ids.tolist()]
    with ExitStack() as running, tempfile.TemporaryDirectory() as folder:

        def start(*service: str, **environment: str) -> ServerProcess:
            command = [str(Path(sys.executable).with_name("gars")), "serve", *service, "--home", str(args.home)]
            server = ServerProcess([*command, "--port", "0"], environment=environment, ready_within_s=300)
            running.callback(server.stop)
            return server

        recall = start("recall", GARS_STATE_STORE=_NOWHERE)
        rank = start("rank", GARS_STATE_STORE=_NOWHERE)
        names = ("EVENT_LOG", "STATE_STORE", "TOMBSTONES", "IMPRESSIONS")
        api = start(
            **{f"GARS_{name}": f"sqlite:{folder}/{name.lower()}.sqlite" for name in names},
            GARS_RECALL=recall.address,
            GARS_RANK=rank.address,
            GARS_LIST_CACHE=str(min(1000, len(users) // 4)),
            GARS_RATE_PER_S="0",
            # on a machine with other work: what is measured are ranked lists, not what takes their place
            GARS_RETRIEVAL_BUDGET_MS="5000",
            GARS_RANK_BUDGET_MS="5000",
        )
        file = Path(folder) / "users.txt"

        def load(seconds: float) -> wrk.Load:
            place = lists_made(api) % len(users)
            file.write_text("\n".join(users[place:] + users[:place]))
            variables = {"GARS_USERS": str(file)}
            return wrk.load(api, "lists.lua", connections=args.connections, seconds=seconds, variables=variables)

        load(WARM_UP_S)
        services = {"api": api, "recall": recall, "rank": rank}
        made, worked = lists_made(api), {name: wrk.cpu_seconds(one) for name, one in services.items()}
        done = load(args.seconds)
        made = lists_made(api) - made
        with urllib.request.urlopen(f"{api.address}/metrics") as answer:
            others = re.findall(r'levels_total{level="ranking",outcome="(?!ok).*', answer.read().decode())
        print(f"{made:,} lists made for {done.requests:,} requests, {done.failed} failed; not ranked: {others or None}")
        print(f"{done.requests / done.seconds:,.0f} a second, p50 {done.milliseconds[0]:.1f} ms\n")
        print("| service | processor ms a list | lists a processor second |\n|---|---|---|")
        for name, one in services.items():
            spent = wrk.cpu_seconds(one) - worked[name]
            print(f"| {name} | {spent / made * 1e3:.2f} | {made / spent:,.0f} |")


if __name__ == "__main__":
    main()
