"""The graph of the feature job: Kafka → by user → ``user_state.apply`` in keyed state → the online store."""

from __future__ import annotations

from dataclasses import dataclass

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from gars.adapters.flink.operators import LETTER, MOVE, TREND_MOVES, CountTrends, FoldEvents, OpenStore
from gars.adapters.flink.topics import by_first_field, keyed_records, send_letters

NAME = "gars features"
MAX_PARALLELISM = 128
"""Key groups: how far the job can be scaled. Fixed for the life of its savepoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Topics the job reads from and writes dead letters to."""

    brokers: str
    interactions: str
    dead_letters: str
    group: str
    disorder_ms: int = 5_000
    """Lag of the watermark behind the newest record (ms)."""


def build(env: StreamExecutionEnvironment, topics: Topics, open_store: OpenStore) -> None:
    """Add the job to an environment. Every stateful operator has a ``uid``, by which a savepoint finds it."""
    env.set_max_parallelism(MAX_PARALLELISM)
    tables = StreamTableEnvironment.create(env)
    records = keyed_records(
        tables, topics.interactions, brokers=topics.brokers, group=topics.group, disorder_ms=topics.disorder_ms
    )
    letters = records.process(FoldEvents(open_store, topics.interactions), LETTER).uid("features").name("features")
    send_letters(tables, letters, topics.dead_letters, brokers=topics.brokers)
    moves = by_first_field(letters.get_side_output(TREND_MOVES), MOVE)
    moves.process(CountTrends(open_store)).uid("trends").name("trends")
