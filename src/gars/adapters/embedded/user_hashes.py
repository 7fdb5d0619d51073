"""Keyed hashes of the ids of deleted users, so that they cannot be found by hashing a list of ids.

The key is in a file next to the database, ``NAME.key`` for ``NAME.sqlite``, readable by its owner only. The
database holds a digest of the key, to detect another one.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import sqlite3
from pathlib import Path

from gars.domain.errors import StorageError
from gars.runtime import key_file

logger = logging.getLogger(__name__)

_CHECK = "CREATE TABLE IF NOT EXISTS key_check (id INTEGER PRIMARY KEY CHECK (id = 1), digest BLOB NOT NULL)"


def key_path(database: Path) -> Path:
    """Return the path of the key of a database."""
    return database.with_suffix(".key")


def open_key(connection: sqlite3.Connection, database: Path, *, required: bool) -> bytes:
    """Return the key of a database, and make one where there is none. Call it inside a write transaction.

    ``required`` is for hashes that nothing else replaces.

    Raises:
        StorageError: the key cannot be read or written, or it is required and not the one the hashes were made with.
    """
    connection.execute(_CHECK)
    row = connection.execute("SELECT digest FROM key_check").fetchone()
    path = key_path(database)
    is_new = not path.exists()
    if is_new and not (row is not None and required):
        key_file.make(path, secrets.token_bytes(key_file.BYTES))
    key = key_file.read(path, length=None) or b""  # of another length in files of format 0
    digest = _digest(key)
    if row is not None and row[0] != digest:
        message = (
            f"{path} is {'missing' if is_new else 'another key'}: deleted users in {database.name} are not recognised"
        )
        if required:
            raise StorageError(message, hint="put the key and the database back from the same backup")
        logger.warning("%s", message)
    if row is None or row[0] != digest:
        connection.execute("INSERT OR REPLACE INTO key_check VALUES (1, ?)", (digest,))
    return key


def keep_key(database: Path, key: bytes) -> None:
    """Write the key of a database durably; a key that is there already must be the same.

    Raises:
        StorageError: there is another key, or it cannot be written.
    """
    path = key_path(database)
    kept = key_file.read(path, length=None)
    if kept is None:
        kept = key_file.make(path, key)
    if kept != key:
        raise StorageError(
            f"{path} is another key: deleted users in {database.name} are not recognised",
            hint="put the key and the database back from the same backup",
        )


def unkeyed(user_id: str) -> bytes:
    """Return the hash that files of format 0 hold of a deleted user."""
    return hashlib.blake2b(user_id.encode(), digest_size=16, person=b"gars.forgotten").digest()


def wrapped(user_hash: bytes, key: bytes) -> bytes:
    """Return the keyed hash of an unkeyed one."""
    return hashlib.blake2b(user_hash, digest_size=16, key=key, person=b"gars.wrapped").digest()


def _digest(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=16, person=b"gars.key.check").digest()
