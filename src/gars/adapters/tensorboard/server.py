"""The TensorBoard server over a folder of runs, on this machine only."""

from __future__ import annotations

from pathlib import Path

from gars.domain.errors import GarsError, MissingExtraError

HOST = "127.0.0.1"


def start(runs: Path, *, port: int | None = None) -> str:
    """Serve ``runs`` from threads of this process; returns the address.

    Args:
        runs: the folder; runs that appear later are shown too.
        port: 0 takes a free one, ``None`` the first free one from 6006 up.

    Raises:
        MissingExtraError: the ``tensorboard`` extra is not installed.
        GarsError: the port is in use.
    """
    try:
        from tensorboard import program
    except ImportError as error:
        raise MissingExtraError("gars tensorboard", "tensorboard") from error
    server = program.TensorBoard()
    wanted = () if port is None else ("--port", str(port))
    server.configure(argv=("tensorboard", "--logdir", str(runs), "--host", HOST, *wanted))
    try:
        return str(server.launch())
    except program.TensorBoardServerException as error:
        raise GarsError(
            f"TensorBoard could not listen on {HOST}:{port}: {error}", hint="another port: gars tensorboard --port 0"
        ) from error
