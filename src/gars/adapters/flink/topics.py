"""Kafka's topics as streams, through the table connector: in Python only that one gives headers, offsets and times."""

from __future__ import annotations

from pyflink.common import TypeInformation, Types
from pyflink.datastream import DataStream
from pyflink.datastream.data_stream import KeyedStream
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

from gars.adapters.flink.operators import BYTES

_RECORD = Types.ROW([Types.STRING(), BYTES, BYTES, Types.INT(), Types.LONG(), Types.LONG(), Types.STRING()])


def keyed_records(
    tables: StreamTableEnvironment, topic: str, *, brokers: str, group: str, disorder_ms: int
) -> KeyedStream:
    """Rows of a user and the fields of a ``Record``, by user.

    Starts at the offsets the group has committed, a group without any at the beginning. A restored job starts where
    its checkpoint was. The watermark follows the time at which records were accepted, ``disorder_ms`` behind.
    """
    tables.get_config().set("table.local-time-zone", "UTC")
    tables.execute_sql(f"""
        CREATE TABLE records (
          record_key BYTES,
          record_value BYTES,
          headers MAP<STRING, BYTES> METADATA VIRTUAL,
          record_partition INT METADATA FROM 'partition' VIRTUAL,
          record_offset BIGINT METADATA FROM 'offset' VIRTUAL,
          accepted TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
          WATERMARK FOR accepted AS accepted - INTERVAL '{disorder_ms / 1000:.3f}' SECOND
        ) WITH (
          'connector' = 'kafka',
          'topic' = {_quoted(topic)},
          'properties.bootstrap.servers' = {_quoted(brokers)},
          'properties.group.id' = {_quoted(group)},
          'scan.startup.mode' = 'group-offsets',
          'properties.auto.offset.reset' = 'earliest',
          'key.format' = 'raw', 'key.fields' = 'record_key',
          'value.format' = 'raw', 'value.fields-include' = 'EXCEPT_KEY'
        )""")
    rows = tables.sql_query("""
        SELECT COALESCE(DECODE(record_key, 'UTF-8'), '') AS user_key,
               ROW(DECODE(headers['kind'], 'UTF-8'), record_key, record_value, record_partition, record_offset,
                   EXTRACT(EPOCH FROM accepted) * 1000 + EXTRACT(MILLISECOND FROM accepted),
                   DECODE(headers['traceparent'], 'UTF-8')) AS record
        FROM records""")
    return by_first_field(tables.to_append_stream(rows, Types.ROW([Types.STRING(), _RECORD])), _RECORD)


def by_first_field(rows: DataStream, value: TypeInformation) -> KeyedStream:
    """Rows of a string and a value of that type → the values, keyed by the string.

    ``DataStream.key_by`` takes the key out in Python, in a stage of its own. These rows have it in front already, so
    this does only what ``key_by`` does after that stage.
    """
    key_type = Types.ROW([Types.STRING()]).get_java_type_info()
    keyed = rows._j_data_stream.keyBy(get_gateway().jvm.KeyByKeySelector(), key_type)
    return KeyedStream(keyed, value, rows)


def send_letters(tables: StreamTableEnvironment, letters: DataStream, topic: str, *, brokers: str) -> None:
    """Write rows of key, value and headers to a topic, at least once."""
    tables.execute_sql(f"""
        CREATE TABLE letters (
          record_key BYTES,
          record_value BYTES,
          headers MAP<STRING, BYTES> METADATA
        ) WITH (
          'connector' = 'kafka',
          'topic' = {_quoted(topic)},
          'properties.bootstrap.servers' = {_quoted(brokers)},
          'sink.delivery-guarantee' = 'at-least-once',
          'key.format' = 'raw', 'key.fields' = 'record_key',
          'value.format' = 'raw', 'value.fields-include' = 'EXCEPT_KEY'
        )""")
    columns = ["record_key", "record_value", "headers"]
    rows = tables.from_data_stream(letters).alias(*columns)
    statements = tables.create_statement_set()
    statements.add_insert("letters", rows)
    statements.attach_as_datastream()


def _quoted(text: str) -> str:
    """Quote a string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
