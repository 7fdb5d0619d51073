"""Topics and tables in engines that run elsewhere: made once, found again."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

from gars.adapters.cassandra.address import parse
from gars.adapters.cassandra.connection import Connection
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.topics import create_topics
from gars.stack.cassandra import Cassandra
from gars.stack.kafka import Kafka


def test_topics_and_tables_are_made_before_a_model_is_asked_for(
    kafka: Kafka, cassandra: Cassandra, tmp_path: Path
) -> None:
    name = f"p{uuid.uuid4().hex[:12]}"
    history = f"cassandra://127.0.0.1:{cassandra.port}/{name}"
    variables = {
        "GARS_HOME": str(tmp_path),
        "GARS_EVENT_LOG": f"kafka://{kafka.address.bootstrap_servers}/{name}",
        "GARS_HISTORY": history,
    }
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "gars.stack.prepare"],
            env={**os.environ, **variables}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "backfill needs a trained model" in done.stderr
        assert "gars demo --no-serve" in done.stderr
    assert create_topics(KafkaAddress(kafka.address.bootstrap_servers, name)) == []
    with closing(Connection(parse("GARS_HISTORY", history))) as connection:
        tables = connection.rows("SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", name)
        assert {"interactions_by_user", "impressions_by_user"} <= {row.table_name for row in tables}
