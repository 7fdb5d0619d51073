"""Keyed hashes of the ids of deleted users, so that a list of ids does not tell who was deleted.

The key lies in a file of its own beside the database, ``NAME.key`` for ``NAME.sqlite``, readable by its owner only. The
database holds a digest of the key, to tell when another one lies there.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import sqlite3
from pathlib import Path

from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)

_KEY_BYTES = 32
_CHECK = "CREATE TABLE IF NOT EXISTS key_check (id INTEGER PRIMARY KEY CHECK (id = 1), digest BLOB NOT NULL)"


def key_path(database: Path) -> Path:
    """Return the path of the key of a database."""
    return database.with_suffix(".key")


def open_key(connection: sqlite3.Connection, database: Path, *, required: bool) -> bytes:
    """Return the key of a database, and make one where there is none. Call it inside a write transaction.

    ``required`` is for hashes that nothing else replaces.

    Raises:
        StorageError: the key that the hashes were made with is required and is not there.
        OSError: the key cannot be read or written.
    """
    connection.execute(_CHECK)
    row = connection.execute("SELECT digest FROM key_check").fetchone()
    path = key_path(database)
    is_new = not path.exists()
    if is_new and not (row is not None and required):
        keep_key(database, secrets.token_bytes(_KEY_BYTES))
    key = path.read_bytes() if path.exists() else b""
    digest = _digest(key)
    if row is not None and row[0] != digest:
        said = (
            f"{path} is {'missing' if is_new else 'another key'}: deleted users in {database.name} are not recognised"
        )
        if required:
            raise StorageError(said, hint="put the key and the database back from the same backup")
        logger.warning("%s", said)
    if row is None or row[0] != digest:
        connection.execute("INSERT OR REPLACE INTO key_check VALUES (1, ?)", (digest,))
    return key


def keep_key(database: Path, key: bytes) -> None:
    """Write the key of a database durably; a key that is there already must be the same.

    Raises:
        StorageError: there is another key.
        OSError: it cannot be written.
    """
    path = key_path(database)
    if path.exists():
        if path.read_bytes() != key:
            raise StorageError(
                f"{path} is another key: deleted users in {database.name} are not recognised",
                hint="put the key and the database back from the same backup",
            )
        return
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def unkeyed(user_id: str) -> bytes:
    """Return the hash that files of format 0 hold of a deleted user."""
    return hashlib.blake2b(user_id.encode(), digest_size=16, person=b"gars.forgotten").digest()


def wrapped(user_hash: bytes, key: bytes) -> bytes:
    """Return the keyed hash of an unkeyed one."""
    return hashlib.blake2b(user_hash, digest_size=16, key=key, person=b"gars.wrapped").digest()


def _digest(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=16, person=b"gars.key.check").digest()
