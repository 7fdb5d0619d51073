"""A service whose model can be replaced while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from gars.runtime.swap import Swap


class Healthy(Protocol):
    """A service that can check its dependencies."""

    def health(self) -> dict[str, str]:
        """Return ``"ok"`` or a description of the fault, for each dependency of requests."""
        ...

    def warnings(self) -> dict[str, str]:
        """Return problems that do not stop requests from being served, by component."""
        ...


S = TypeVar("S", bound=Healthy)


@dataclass(slots=True)
class LiveService(Generic[S]):
    """A service whose model can be replaced while it runs, and the phase of its life."""

    swap: Swap[S]
    phase: Literal["starting", "ready", "stopping"] = "ready"

    @property
    def current(self) -> S:
        """The service over the model that serves now; a request reads it once and uses it to the end."""
        return self.swap.current

    def warnings(self) -> dict[str, str]:
        """Return problems that do not stop requests from being served, by component."""
        refused = {"model": self.swap.problem.message} if self.swap.problem else {}
        return {**refused, **self.current.warnings()}
