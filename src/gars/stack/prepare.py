"""``python -m gars.stack.prepare``: topics, tables and first histories in engines that run elsewhere.

What ``gars stack up`` does with its own engines, for containers and managed ones. A second run changes nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gars.adapters.cassandra import address as cassandra
from gars.adapters.cassandra.schema import create_schema
from gars.adapters.kafka import address as kafka
from gars.adapters.kafka.topics import create_topics
from gars.config import from_environment
from gars.domain.errors import GarsError
from gars.stack.backfill import Backfill


def main() -> None:
    """Raises ``GarsError``."""
    settings = from_environment(os.environ)
    create_topics(kafka.parse("GARS_EVENT_LOG", settings.event_log), kept_days=settings.log_days)
    create_schema(cassandra.parse("GARS_HISTORY", settings.history))
    seed = Backfill(folder=Path(settings.home) / "stack" / Backfill.name, settings=settings, variables={})
    seed.prepare()
    seed.finish()


if __name__ == "__main__":
    try:
        main()
    except GarsError as error:
        sys.exit(str(error))
