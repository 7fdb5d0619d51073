"""The Python operators of the job. Flink pickles them with the job and opens them in its TaskManagers.

They write to the online store before they take the next record, and Flink takes checkpoints only between records:
so a checkpoint never contains changes that the store lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import OutputTag
from pyflink.datastream.functions import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from gars.adapters.flink.folding import fold, spanning_record
from gars.adapters.flink.patience import patiently
from gars.adapters.flink.records import OnlineStore, Record, TrendWeight
from gars.domain import trending

OpenStore = Callable[[], OnlineStore]

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
LETTER = Types.ROW([BYTES, BYTES, Types.MAP(Types.STRING(), BYTES)])
"""Key, value and headers of a dead letter."""
MOVE = Types.ROW([Types.INT(), Types.LONG(), Types.DOUBLE()])
TREND_MOVES = OutputTag("trend-moves", Types.ROW([Types.STRING(), MOVE]))
"""The anime as a string, which is the key, and a ``TrendMove``."""


class FoldEvents(KeyedProcessFunction):  # type: ignore[misc]
    """Keyed by user: the state is the codec's bytes, so that any later version of the code can read a savepoint."""

    def __init__(self, open_store: OpenStore, topic: str) -> None:
        self._open_store = open_store
        self._topic = topic

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the keyed state and connect."""
        self._state = runtime_context.get_state(ValueStateDescriptor("user_state", Types.PICKLED_BYTE_ARRAY()))
        self._store = self._open_store()

    def close(self) -> None:
        """Disconnect."""
        self._store.close()

    def process_element(self, value: Any, _context: KeyedProcessFunction.Context) -> Iterator[Any]:
        """Process one record; yields a dead letter if it cannot be used."""
        record = Record(*value)
        current: bytes | None = self._state.value()
        with spanning_record(record, self._topic):
            folded = fold(current, record, lambda user_id: patiently(lambda: self._store.read(user_id)))
            if folded.write is not None:
                write = folded.write
                patiently(lambda: self._store.write(write))
        if folded.state is None:
            self._state.clear()
        elif folded.state is not current:
            self._state.update(folded.state)
        for move in folded.moves:
            yield TREND_MOVES, Row(str(move.anime_id), Row(*move))
        if folded.reason is not None:
            origin = f"{self._topic}/{record.partition}/{record.offset}"
            headers = {"reason": folded.reason, "where": "feature job", "from": origin}
            yield Row(record.key, record.value, {name: text.encode() for name, text in headers.items()})


class CountTrends(KeyedProcessFunction):  # type: ignore[misc]
    """Keyed by anime: its counters by bucket of event time, until nothing in a bucket counts any more.

    The store is updated once a second per anime, however many events there were.
    """

    def __init__(self, open_store: OpenStore) -> None:
        self._open_store = open_store

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the keyed states and connect."""
        counted = MapStateDescriptor("trend_weights", Types.LONG(), Types.DOUBLE())
        untold = MapStateDescriptor("untold_buckets", Types.LONG(), Types.BOOLEAN())
        self._weights = runtime_context.get_map_state(counted)
        self._untold = runtime_context.get_map_state(untold)
        self._store = self._open_store()

    def close(self) -> None:
        """Disconnect."""
        self._store.close()

    def process_element(self, value: Any, context: KeyedProcessFunction.Context) -> None:
        """Add one move to its counter."""
        _, bucket, by = value
        timers = context.timer_service()
        ends_ms = trending.ends_ms(bucket)
        if ends_ms <= timers.current_watermark():
            return  # counts for nothing by now
        self._weights.put(bucket, (self._weights.get(bucket) or 0.0) + by)
        self._untold.put(bucket, True)
        timers.register_event_time_timer(ends_ms)
        timers.register_processing_time_timer(timers.current_processing_time() // 1000 * 1000 + 1000)

    def on_timer(self, _timestamp: int, context: KeyedProcessFunction.OnTimerContext) -> None:
        """Write changed counters to the store, and drop ended buckets."""
        anime_id = int(context.get_current_key())
        untold, counted = list(self._untold.keys()), list(self._weights.keys())
        weights = [TrendWeight(anime_id, bucket, self._weights.get(bucket) or 0.0) for bucket in untold]
        if weights:
            patiently(lambda: self._store.write_trends(weights))
            self._untold.clear()
        watermark = context.timer_service().current_watermark()
        for bucket in counted:
            if trending.ends_ms(bucket) <= watermark:
                self._weights.remove(bucket)
