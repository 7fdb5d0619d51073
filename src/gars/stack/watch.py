"""Restart ended processes and jobs: one thread per part, so that a slow one does not delay the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from gars.stack.engine import StackError
from gars.stack.running import Running

LOOK_S = 2.0
LONGEST_PAUSE_S = 60.0

logger = logging.getLogger(__name__)


def watch(parts: Sequence[Running], stop: threading.Event, *, look_s: float = LOOK_S) -> None:
    """Watch ``parts`` until ``stop`` is set: restart processes and jobs that have ended.

    Each start and each failure is logged. A process that runs but is unhealthy is not restarted: it may be waiting for
    another part, and a restart would not help it.
    """
    threads = [threading.Thread(target=_look_after, args=(part, stop, look_s)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _look_after(part: Running, stop: threading.Event, look_s: float) -> None:
    pause_s = look_s
    while not stop.wait(pause_s):
        gone = part.gone()
        if gone is None:
            pause_s = look_s
            continue
        logger.warning("%s: starting it again", gone)
        try:
            part.up()
        except StackError as error:
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            logger.error("%s did not start, next try in %.0f s: %s", part.engine.name, pause_s, _on_one_line(error))
        else:
            pause_s = look_s
            logger.warning("%s is back", part.engine.name)


def _on_one_line(error: StackError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
