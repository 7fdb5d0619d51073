"""Settings of stage one over a large catalogue."""

from __future__ import annotations

import msgspec

from gars.retrieval.two_steps import Powers


class LargeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of stage one over a large catalogue; what ``trials`` allows is chosen on held-out entries in fitting."""

    from_items: int = 10_000
    """With more items than this on the lists, and no genres known, stage one is made for a large catalogue."""
    trials: int = 12
    """Settings of channels that are tried on held-out entries; 0 keeps those given here."""
    validation_users: int = 2_000
    """Users of whom entries are held out to choose settings and weights."""
    walks: Powers = Powers(source=0.7, target=0.3, user=0.7, sharpen=1.3)
    walk_neighbours: int = 200
    edlae_neighbours: int = 60
    edlae_l2: float = 1.0
    edlae_dropout: float = 0.3
    edlae_user_power: float = 0.3
    rank: int = 192
    """Singular vectors of the spectral filter."""
    spectral_power: float = 0.3
    similar_users: int = 500
    similar_users_power: float = 0.2
    """Power of an item's degree by which it counts less for the similarity of users."""
    pool: int = 400
    """Items that the sparse channels propose to a request, at least."""
    weights: dict[str, float] = msgspec.field(default_factory=dict)
    """Weight of each channel in the fused order; empty: learned on held-out entries."""
