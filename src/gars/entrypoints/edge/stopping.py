"""End the process some time after a stop signal, even if threads still run."""

from __future__ import annotations

import logging
import os
import threading

logger = logging.getLogger(__name__)


def end_process_after(seconds: float) -> None:
    """Start a watch that ends this process with exit code 1 after so long, unless it has ended by then.

    For threads that cannot be stopped: what was acknowledged is on disk, so nothing is lost.
    """

    def end() -> None:
        logger.error("ended %.0f s after the signal to stop: a thread hangs", seconds)
        logging.shutdown()
        os._exit(1)

    watch = threading.Timer(seconds, end)
    watch.daemon = True
    watch.start()
