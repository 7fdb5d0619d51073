"""The server process: Granian in this event loop, graceful shutdown on a signal."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar

from gars.bootstrap import Live, Service, live, warm
from gars.config import Settings
from gars.domain.errors import ArtefactError, GarsError, InvalidInputError
from gars.entrypoints.api.app import create_app
from gars.entrypoints.edge.app import Edge
from gars.entrypoints.edge.descriptors import connections_within, raise_file_limit
from gars.entrypoints.edge.stopping import end_process_after
from gars.entrypoints.edge.traces import TracedApp
from gars.library.malloc import release_start_memory
from gars.runtime import tracing
from gars.runtime.free_ports import free_ports
from gars.runtime.live_service import LiveService

logger = logging.getLogger(__name__)

_START_DEADLINE_S = 30
_CLOSING_S = 15.0
"""Time to write pending data and close the stores, after the last request."""


def refuse_open(host: str, service_token: str) -> None:
    """Raise ``InvalidInputError`` if ``host`` is reachable from other machines and no service token is set."""
    if service_token:
        return
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise InvalidInputError(f"cannot listen on {host!r}: {error}", hint="use --host 127.0.0.1") from error
    if not all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in addresses):
        raise InvalidInputError(
            f"{host} can be reached from other machines, and any caller may read and change every user",
            hint="use --host 127.0.0.1, or set GARS_SERVICE_TOKEN to a long random word: callers then need a token",
        )


def free_port(host: str, port: int) -> int:
    """Return ``port`` if it can be bound, or a free port for 0; raises ``InvalidInputError`` if it is in use."""
    port = port or free_ports(1)[0]
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidInputError(
                f"cannot listen on {host}:{port}: {error.strerror or error}",
                hint=f"stop what listens there, or take another port: gars serve --port {port + 1}",
            ) from error
    return port


def run(service: Service, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, then close ``service``; ``on_ready`` receives the address once it responds.

    Raises:
        InvalidInputError: the port is in use.
    """
    running = live(service)
    try:
        listen(
            create_app(running),
            running,
            service.settings,
            host=host,
            port=port,
            warm_up=lambda: _warm(running),
            after_start=lambda: running.current.stores.start_background_work(),
            end_streams=lambda: running.current.feed.close(),
            on_ready=on_ready,
        )
    finally:
        running.current.close()


def listen(
    app: Litestar,
    running: LiveService[Any],
    settings: Settings,
    *,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    warm_up: Callable[[], None] = lambda: None,
    after_start: Callable[[], None] = lambda: None,
    end_streams: Callable[[], None] = lambda: None,
) -> None:
    """Serve an application until SIGINT or SIGTERM.

    ``warm_up`` runs before the service is ready, ``after_start`` as soon as it is, and ``end_streams`` before the wait
    for requests in progress. The wait is at most GARS_STOP_TIMEOUT_MS; the process exits some seconds later even if
    requests are still running.

    Raises:
        InvalidInputError: the port is in use.
    """
    logging.getLogger("_granian").setLevel(logging.ERROR)
    running.phase = "starting"
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            port = free_port(host, port)
            runner.run(_serve(app, running, settings, host, port, on_ready, warm_up, after_start, end_streams))
    finally:
        running.swap.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the factory of uvloop if it is installed (not on Windows), or None for the default loop."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(
    app: Litestar,
    running: LiveService[Any],
    settings: Settings,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    warm_up: Callable[[], None],
    after_start: Callable[[], None],
    end_streams: Callable[[], None],
) -> None:
    counted = app.state.metrics
    edge = Edge(app, replace(settings, host=host), count=counted.count)
    proxies, token = settings.trusted_proxies.split(","), settings.service_token
    server = Server(
        edge if tracing.tracer is None else TracedApp(edge, trusted_proxies=proxies, service_token=token),
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        backlog=1024,
        # how many connections it holds; the next ones wait in the backlog
        backpressure=connections_within(settings.max_connections, raise_file_limit()),
        # automatic detection of HTTP/2 has no timeout for a connection that sends nothing
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.header_timeout_ms),
        websockets=False,
        log_enabled=False,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, stop)
    serving = asyncio.create_task(server.serve())
    try:
        stopped = asyncio.create_task(stop.wait())
        await _answering(host, port, serving)
        await asyncio.to_thread(warm_up)
        release_start_memory()
        running.phase = "ready"
        after_start()
        _follow_promotions(running, settings.model_check_ms, loop)
        on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        running.phase = "stopping"
        stop_within_s = settings.stop_timeout_ms / 1000
        end_process_after(stop_within_s + _CLOSING_S)
        end_streams()  # or the server would wait for them
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=stop_within_s)
        if serving.done():
            await serving
        else:
            logger.warning("stopped before every request was answered: GARS_STOP_TIMEOUT_MS is over")
            serving.cancel()


def _stop(stop: asyncio.Event) -> None:
    """Stop gracefully on the first signal, at once on the second. Acknowledged events are on disk."""
    if stop.is_set():
        logger.error("stopped before every request was answered")
        os._exit(1)
    stop.set()


def _warm(running: Live) -> None:
    """Make the first lists before the service is ready. If the model fails, simpler lists are served."""
    try:
        warm(running.current)
    except Exception as error:  # any failure of a model: simpler lists are better than no service
        error_text = error.message if isinstance(error, GarsError) else f"{type(error).__name__}: {error}"
        running.swap.problem = ArtefactError(error_text, hint="go back with: gars model rollback")
        logger.error("the model failed on its first answers: %s", error_text, exc_info=error)


def _follow_promotions(running: LiveService[Any], check_ms: int, loop: asyncio.AbstractEventLoop) -> None:
    """Apply ``gars model promote`` and ``rollback``: polled, and at once on SIGHUP."""
    if check_ms:
        running.swap.watch(check_ms / 1000)
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(
            signal.SIGHUP, lambda: loop.run_in_executor(None, partial(running.swap.refresh, again=True))
        )


async def _answering(host: str, port: int, serving: asyncio.Task[None]) -> None:
    """Wait until the port accepts connections."""
    async with asyncio.timeout(_START_DEADLINE_S):
        while not serving.done():
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return
    await serving  # it failed: say why
