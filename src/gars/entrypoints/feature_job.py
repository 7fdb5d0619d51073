"""Entry point of the feature job in Flink: ``flink run -pyfs gars.zip -pym gars.entrypoints.feature_job --brokers …``.

Runs in Flink's own Python environment, which of GARS' dependencies has only numpy, msgspec, redis and OpenTelemetry.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gars.adapters.flink.records import TrendWeight, Write
from gars.adapters.redis.connection import connect, explained
from gars.adapters.redis.keys import Keys
from gars.adapters.redis.state_writer import StateWrite, StateWriter
from gars.adapters.redis.trends import write_trends
from gars.runtime import tracing

GROUP = "features"
_TIMEOUT_S = 10.0
_LAST_SPANS_S = 2.0
"""Time for the last spans when an operator ends."""


class RedisOnlineStore:
    """The ``OnlineStore`` of the job."""

    def __init__(self, address: str, *, prefix: str, ttl_s: int, key_file: Path | None) -> None:
        self._address = address
        self._client = connect(address, timeout_s=_TIMEOUT_S)
        self._keys = Keys(prefix)
        self._writer = StateWriter(self._client, address, keys=self._keys, ttl_s=ttl_s, key_file=key_file)

    def write(self, write: Write) -> None:
        """State and change in one step."""
        self._writer.write([StateWrite(write.user_id, write.version, write.state, write.changes, write.offset)])

    def read(self, user_id: str) -> bytes | None:
        """The state as bytes."""
        return self._writer.read(user_id)

    def write_trends(self, weights: Sequence[TrendWeight]) -> None:
        """One round trip."""
        with explained("write to", self._address):
            write_trends(self._client, self._keys, {(one.bucket, one.anime_id): one.weight for one in weights})

    def close(self) -> None:
        """Close the connections, and export the last spans."""
        self._client.close()
        if (tracer := tracing.tracer) is not None:
            tracing.install(None)
            tracer.close(_LAST_SPANS_S)


def open_store(address: str, prefix: str, ttl_s: int, key_file: Path | None, traces: str = "") -> RedisOnlineStore:
    """Connect, in the process of Flink that will write; record spans if ``traces`` names a collector."""
    if traces and tracing.tracer is None:  # operators share a process
        tracing.install(_open_tracer(traces))
    return RedisOnlineStore(address, prefix=prefix, ttl_s=ttl_s, key_file=key_file)


def _open_tracer(address: str) -> tracing.Tracer:
    """Return a tracer that exports to a collector; only the traces of requests are continued."""
    from gars.adapters.opentelemetry import export  # only where it is asked for

    return export.open_tracer(address, service="gars-features", version="", share=0.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the job and hand it to the cluster."""
    parser = argparse.ArgumentParser(prog="feature_job", description=__doc__)
    parser.add_argument("--brokers", required=True, help="HOST:PORT[,HOST:PORT…] of Kafka")
    parser.add_argument("--prefix", default="gars", help="of the topics")
    parser.add_argument("--redis", required=True, help="redis://HOST:PORT/0")
    parser.add_argument("--redis-prefix", default="gars", help="of the keys")
    parser.add_argument("--ttl-s", type=int, default=0, help="seconds a state lives after its last change; 0: for ever")
    parser.add_argument("--tombstone-key", type=Path, help="file of GARS_TOMBSTONE_KEY; none: the key is in Redis")
    parser.add_argument("--disorder-ms", type=int, default=5_000, help="how far the watermark stays behind")
    parser.add_argument(
        "--traces", default="", help="GARS_TRACES: collector of spans, by OTLP over HTTP; none: no spans"
    )
    asked = parser.parse_args(arguments)
    connect(asked.redis).close()  # a bad address fails here, not in a worker
    if asked.traces:
        _open_tracer(asked.traces).close(0)  # so does a missing package

    from pyflink.datastream import StreamExecutionEnvironment

    from gars.adapters.flink.job import NAME, Topics, build

    env = StreamExecutionEnvironment.get_execution_environment()
    topics = Topics(
        brokers=asked.brokers,
        interactions=f"{asked.prefix}.interactions",
        dead_letters=f"{asked.prefix}.dead-letters",
        group=f"{asked.prefix}.{GROUP}",
        disorder_ms=asked.disorder_ms,
    )
    build(
        env,
        topics,
        partial(open_store, asked.redis, asked.redis_prefix, asked.ttl_s, asked.tombstone_key, asked.traces),
    )
    env.execute(f"{NAME} {asked.prefix}")


if __name__ == "__main__":
    main()
