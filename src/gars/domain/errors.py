"""Errors a person can act on: what happened, where, why, and the next command."""

from __future__ import annotations

from collections.abc import Sequence


class GarsError(Exception):
    """Base of every error GARS raises on purpose.

    ``message`` has the fault and its place; ``hint`` is the next step (usually a command). ``code`` is
    a stable machine-readable word, the one the HTTP API puts in ``error.code``.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class InvalidInputError(GarsError):
    """The caller gave something that cannot be used: a bad value, a wrong column, an unknown option."""

    code = "invalid_input"


class UnknownAnimeError(InvalidInputError):
    """Anime ids that are not in the catalogue."""

    code = "unknown_anime"

    def __init__(self, anime_ids: Sequence[int | str]) -> None:
        super().__init__(
            f"{len(anime_ids)} anime id(s) not in the catalogue: {', '.join(map(str, anime_ids))}",
            hint="ids are MyAnimeList ids; look one up with GET /api/v1/anime?query=TITLE",
        )
        self.anime_ids = list(anime_ids)


class UnknownItemError(UnknownAnimeError):
    """An id that the data of a model do not have."""

    def __init__(self, label: int | str) -> None:
        InvalidInputError.__init__(
            self, f"the model knows no item {label!r}", hint="Recommender.item_ids holds every id it knows"
        )
        self.anime_ids = []


class UnknownListError(InvalidInputError):
    """A list at another site that does not exist or is private."""

    code = "unknown_list"


class UnknownUserError(InvalidInputError):
    """Users without any data, where a comparison or a group needs them."""

    code = "unknown_user"

    def __init__(self, user_ids: Sequence[str]) -> None:
        super().__init__(
            f"no such user: {', '.join(user_ids)}",
            hint="GET /api/v1/users names those of the data set; ids are case-sensitive",
        )
        self.user_ids = list(user_ids)


class DataError(GarsError):
    """A data file that does not hold what its header promises."""

    code = "bad_data"


class FetchError(GarsError):
    """A source that could not be fetched or did not verify."""

    code = "fetch_failed"


class NotAllowedError(GarsError):
    """A feature that this service is not configured for."""

    code = "forbidden"


class ConflictError(GarsError):
    """Something that was understood and cannot be done as things are."""

    code = "conflict"


class EventConflictError(ConflictError):
    """Events whose id their user has sent before with other content; ``numbers`` are their places in the batch."""

    def __init__(self, event_ids: dict[int, str]) -> None:
        shown = ", ".join(f"events[{number}] ({event_id!r})" for number, event_id in list(event_ids.items())[:5])
        more = f" and {len(event_ids) - 5} more" if len(event_ids) > 5 else ""
        super().__init__(
            f"the event_id of {shown}{more} was used before for another event of this user",
            hint="send a new event with an id of its own; send an event again with the same content",
        )
        self.numbers = tuple(event_ids)


class ArtefactError(GarsError):
    """A model artefact that is missing, incomplete or different from its manifest."""

    code = "bad_artefact"


class MissingExtraError(GarsError):
    """A feature whose optional dependencies are not installed."""

    code = "missing_extra"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs optional packages", hint=f"pip install 'gars[{extra}]'")


class StorageError(GarsError):
    """A read or write of a store that failed: full disk, locked or damaged database."""

    code = "storage"


class OverloadedError(GarsError):
    """More work waits than can be done in time. Sending the same again later is safe."""

    code = "overloaded"


class StageError(GarsError):
    """A stage in another process that does not answer, not in time, or with another model."""

    code = "stage_away"
