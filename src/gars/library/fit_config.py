"""Settings of ``Recommender.fit``."""

from __future__ import annotations

import msgspec

from gars.ranking.mlp import RankingConfig
from gars.retrieval.retriever import RetrievalConfig


class FitConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may be set of ``Recommender.fit``."""

    retrieval: RetrievalConfig = RetrievalConfig()
    ranking: RankingConfig = RankingConfig()
    max_users: int = 60_000
    """Stage one is fitted on so many users at most, drawn at random: what belongs together shows in that many lists.

    Every user is known all the same.
    """
    folds: int = 5
    """Number of retrievers fitted for the ranker's examples; more are closer to serving and cost more."""
    many_titles: int = 10_000
    """With more titles on the lists two folds are enough: every retriever costs the square of the catalogue."""
    hidden_share: float = 0.2
    """Share of each user's list that the ranker must find again, at most a third of ``list_length``."""
    repeats: int = 5
    """Times each user is used, with another part hidden each time; every title is hidden once before any twice."""
    short_lists: float = 0.5
    """Further lists a user, of which only the first few titles are shown, to train on short histories too."""
    list_length: int = 160
    """Places of a training list: candidates, then hidden rated titles that were not among them."""
    per_channel: int = 60
    """Candidates each channel proposes for a training list."""
    hidden_titles: float = 0.1
    """Share of the titles on ``min_count`` lists whose viewers are hidden for the ranker's lists, drawn for each fold.

    The ranker so learns to score titles without viewers (Volkovs et al., "DropoutNet: Addressing Cold Start in
    Recommender Systems", NeurIPS 2017).
    """
    max_ranking_users: int = 6_000
    """The ranker trains on at most this many users."""
    fusion_users: int = 1_000
    """On hidden entries of so many users the weights of the fused order are learned, beginning with
    ``retrieval.fusion``; 0 keeps those.
    """
    search_trials: int = 8
    """Settings of EDLAE that are tried on held-out entries of the ``fusion_users`` before fitting; 0 keeps those given.

    Large catalogues have ``retrieval.large.trials``.
    """
    compare_users: int = 500
    """On so many users that the ranker did not train on, its order is compared with that of stage one.

    They are taken from those beyond ``max_ranking_users``. Where there are none, a tenth of the ranker's users is kept
    out, or a twentieth if the catalogue knows genres; if these are fewer than ten, nothing is compared.
    """
    serve_ranker: bool = True
    """True: lists are in the ranker's order; ``fit`` sets it to false where stage one's order was better."""


QUICK = FitConfig(
    retrieval=RetrievalConfig(most_steps=2_000_000),
    search_trials=0,
    folds=2,
    repeats=1,
    short_lists=0.25,
    max_ranking_users=2_000,
)
"""A model in under two minutes on the sample, for a first look; the default takes three times as long."""
