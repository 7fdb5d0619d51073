"""The ranking model: a Keras MLP with end-to-end embeddings over behaviour features, and two heads.

One head orders the list (listwise softmax: Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach",
ICML 2007), the other predicts P(rating > 7). The trunk is the embedding-and-MLP of Covington et al.,
"Deep Neural Networks for YouTube Recommendations", RecSys 2016. Runs on any Keras back end; JAX by default.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.training_log import TrainingLog
from gars.domain.errors import MissingExtraError
from gars.domain.features import place_from_end
from gars.domain.item_table import ItemTable
from gars.ranking import curves
from gars.ranking.examples import NOT_ASKED, RankingLists
from gars.ranking.network import REACH, Network, from_arrays, genre_shares, type_codes
from gars.runtime.progress import Progress

if TYPE_CHECKING:
    import keras


class RankingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of stage two; the defaults were chosen on validation users."""

    embedding: int = 8
    hidden: tuple[int, int] = (128, 64)
    dropout: float = 0.2
    unknown_item: float = 0.2
    """Share of item embeddings hidden in training, so that a title without viewers is scored by its features."""
    learning_rate: float = 2e-3
    batch: int = 64
    epochs: int = 4
    like_weight: float = 1.0
    validation_share: float = 0.05


_AT_A_TIME = 512
"""Lists that are converted to double precision at once."""
VIEWERS = place_from_end("item_viewers")
"""The feature column that is 0 for a title without viewers: such a title has no embedding of its own."""


def import_keras() -> Any:
    """Keras, with JAX as the back end unless KERAS_BACKEND names another.

    Raises:
        MissingExtraError: Keras or the back end is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    try:
        import keras
    except ImportError as error:
        raise MissingExtraError("training the ranking model", "train") from error
    return keras


def fit(
    lists: RankingLists,
    items: ItemTable,
    *,
    config: RankingConfig,
    seed: int,
    progress: Progress,
    log: TrainingLog | None = None,
) -> tuple[Network, dict[str, list[float]]]:
    """Train on lists and export to numpy; also returns the losses after each epoch, ``val_`` on users held out.

    An item without a label keeps the shared "unknown" embedding.
    """
    keras = import_keras()
    generator = random.Random(seed % 2**32)
    model = build(items, lists, config, generator)
    shuffled = np.random.default_rng(seed).permutation(len(lists))
    n_validation = round(config.validation_share * len(lists))
    validation, training = shuffled[:n_validation], shuffled[n_validation:]
    batches = _batches(lists, training, config.batch, seed, generator)
    steps = max(1, len(batches) * config.epochs)
    learning_rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=config.learning_rate, warmup_steps=max(1, steps // 10)
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate, weight_decay=1e-4),
        loss={"order": _listwise_loss, "like": _like_loss},
        loss_weights={"order": 1.0, "like": config.like_weight},
    )
    logged = [] if log is None else [curves.callback(keras, log, learning_rate, steps)]
    with progress.task("ranking model", config.epochs) as advance:
        history = model.fit(
            batches,
            validation_data=_tensors(lists, validation) if n_validation else None,
            validation_batch_size=config.batch,
            epochs=config.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda _epoch, _logs: advance(1)), *logged],
        )
    losses = {name: [round(float(value), 4) for value in values] for name, values in history.history.items()}
    labelled = np.unique(lists.rows[(lists.order >= 0) | (lists.like >= 0)])
    if counts_viewers(lists):
        labelled = labelled[items.counts[labelled] > 0]
    return export(model, items, labelled=labelled), losses


def counts_viewers(lists: RankingLists) -> bool:
    """Return True if the lists have all of ``domain.features``, the number of viewers among them."""
    return int(lists.features.shape[2]) >= -VIEWERS


def build(items: ItemTable, lists: RankingLists, config: RankingConfig, generator: random.Random) -> keras.Model:
    """Build the network over (b, L) places of b users.

    ``generator`` seeds each layer: without a seed, Keras draws from the generator of the module ``random``, from which
    other threads of the process draw too.
    """
    keras = import_keras()

    def next_seed() -> int:
        return generator.randint(1, 10**9)

    def dense(units: int, **settings: Any) -> Any:
        kernel = keras.initializers.GlorotUniform(seed=next_seed())
        return keras.layers.Dense(units, kernel_initializer=kernel, **settings)

    n, g, e = len(items), len(items.genre_names), config.embedding
    mean, deviation = standard_scale(lists)
    features = keras.Input((None, lists.features.shape[2]), name="features")  # (b, L, f)
    rows = keras.Input((None,), dtype="int32", name="rows")  # (b, L)
    taste = keras.Input((2 * g,), name="taste")  # (b, 2g)
    viewers = [features[..., VIEWERS]] if counts_viewers(lists) else []  # (b, L)
    known = _hide_items(config.unknown_item, unknown=n)([rows, *viewers])  # (b, L), n = unknown
    item = _embedding(n + 1, e, seed=next_seed(), name="item")(known)  # (b, L, e)
    kind = _embedding(len(items.type_names) + 1, e, seed=next_seed(), name="type")(
        _lookup(type_codes(items.types, len(items.type_names)))(rows)
    )  # (b, L, e)
    genres = dense(e, use_bias=False, name="genres")(_lookup(genre_shares(items.genres))(rows))
    user = dense(e, use_bias=False, name="taste_embedding")(taste)  # (b, e)
    users = keras.layers.Multiply()([keras.ops.ones_like(item), keras.ops.expand_dims(user, 1)])  # (b, L, e)
    crossed = keras.layers.Multiply()([genres, users])  # (b, L, e)
    x = keras.layers.Concatenate()(
        [_standardise(mean, deviation)(features), item, kind, genres, users, crossed]
    )  # (b, L, f + 5e)

    def trunk(head: str, hidden: Any) -> Any:
        for number, width in enumerate(config.hidden, 1):
            hidden = dense(width, activation="relu", name=f"{head}_hidden_{number}")(hidden)
            hidden = keras.layers.Dropout(config.dropout, seed=next_seed())(hidden)
        return hidden

    # one trunk for both heads costs the like head .003 of AUC: what comes next and what is liked are other questions
    order = dense(1, use_bias=False, name="order_head")(trunk("order", x))
    like = dense(1, name="like_head")(trunk("like", x[:, : lists.n_like]))
    flat = keras.layers.Reshape((-1,), name="order"), keras.layers.Reshape((-1,), name="like")
    return keras.Model([features, rows, taste], {"order": flat[0](order), "like": flat[1](like)})


def export(model: keras.Model, items: ItemTable, *, labelled: NDArray[np.int32]) -> Network:
    """The trained weights as a numpy network."""

    def weights(name: str) -> list[NDArray[np.float32]]:
        return [np.asarray(w, np.float32) for w in model.get_layer(name).get_weights()]

    table = weights("item")[0]
    item = np.tile(table[-1], (len(items), 1))
    item[labelled] = table[labelled]
    standardise = model.get_layer("standardise")
    first = [weights(f"{head}_hidden_1") for head in ("order", "like")]
    (order_hidden, order_bias), (like_hidden, like_hidden_bias) = weights("order_hidden_2"), weights("like_hidden_2")
    like, like_bias = weights("like_head")
    arrays = {
        "mean": standardise.mean,
        "deviation": standardise.deviation,
        "item_embedding": item,
        "type_embedding": weights("type")[0],
        "genre_embedding": weights("genres")[0],
        "taste_embedding": weights("taste_embedding")[0],
        "hidden_1": np.concatenate([weight for weight, _ in first], axis=1),
        "bias_1": np.concatenate([bias for _, bias in first]),
        "order_hidden_2": order_hidden,
        "order_bias_2": order_bias,
        "like_hidden_2": like_hidden,
        "like_bias_2": like_hidden_bias,
        "order": weights("order_head")[0][:, 0],
        "like": like[:, 0],
        "like_bias": like_bias[0],
    }
    return from_arrays(arrays, items.types, items.genres)


def _batches(lists: RankingLists, users: NDArray[np.int64], size: int, seed: int, generator: random.Random) -> Any:
    """Make batches of other users, in another order, in each epoch.

    They are taken from the lists one by one: a second copy of the lists may not fit in memory. The order is drawn here
    because Keras would draw it from the generator of the module ``random``.
    """
    keras = import_keras()
    rng = np.random.default_rng([seed, 4])

    class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.users = rng.permutation(users)
            self.order = list(range(len(self)))

        def __len__(self) -> int:
            return -(-len(users) // size)

        def on_epoch_begin(self) -> None:
            self.order = list(range(len(self)))
            generator.shuffle(self.order)

        def __getitem__(self, place: int) -> tuple[dict[str, Any], dict[str, Any]]:
            # the last batch is filled from the front, so that all have one shape and the network compiles once
            return _tensors(lists, self.users[(self.order[place] * size + np.arange(size)) % len(users)])

        def on_epoch_end(self) -> None:
            self.users = rng.permutation(users)

    return Batches()


def _tensors(lists: RankingLists, users: NDArray[np.int64]) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs = {"features": lists.features[users], "rows": lists.rows[users], "taste": lists.taste[users]}
    return inputs, {"order": lists.order[users], "like": lists.like[users, : lists.n_like]}


def _listwise_loss(order: Any, scores: Any) -> Any:
    """Negative log softmax of each list's positives among its candidates. (b, L), (b, L) → (b,)

    A list is weighted by the root of its positives: they are not independent.
    """
    ops = import_keras().ops
    scores = ops.where(order == NOT_ASKED, -1e9, scores)
    positive = ops.cast(order > 0, "float32")
    log_p = ops.log_softmax(scores, axis=-1)
    return -0.5 * ops.sum(positive * log_p, axis=-1) / ops.sqrt(ops.maximum(ops.sum(positive, axis=-1), 1.0))


def _like_loss(like: Any, logits: Any) -> Any:
    """Cross-entropy over the rated places of the batch, every rating counting the same. (b, L), (b, L) → (b,)"""
    ops = import_keras().ops
    asked = ops.cast(like >= 0, "float32")
    entropy = ops.softplus(logits) - ops.maximum(like, 0.0) * logits
    per_list = ops.maximum(ops.sum(asked) / ops.cast(ops.shape(like)[0], "float32"), 1.0)
    return ops.sum(asked * entropy, axis=-1) / per_list


def standard_scale(lists: RankingLists) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of each feature over the places with a label. → (f,), (f,)

    A feature that never varied has no weight to trust if it varies in serving: its deviation is infinite. Lists are
    read in blocks: a copy of all in double precision would be the largest thing in training.
    """
    asked = (lists.order >= 0) | (lists.like >= 0)
    n, width = max(1, int(asked.sum())), lists.features.shape[2]

    def places() -> Iterator[NDArray[np.float64]]:
        for start in range(0, len(lists), _AT_A_TIME):
            some = slice(start, start + _AT_A_TIME)
            yield lists.features[some][asked[some]].astype(np.float64)

    mean = sum((block.sum(axis=0) for block in places()), np.zeros(width)) / n
    variance = sum((((block - mean) ** 2).sum(axis=0) for block in places()), np.zeros(width)) / n
    deviation = np.sqrt(variance)
    deviation[deviation < 1e-4] = np.inf
    return mean.astype(np.float32), deviation.astype(np.float32)


def _standardise(mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> keras.Layer:
    keras = import_keras()

    class Standardise(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Features on a common scale, cut at ``network.REACH`` deviations. (b, L, f) → (b, L, f)"""

        def __init__(self) -> None:
            super().__init__(name="standardise")
            self.mean, self.deviation = mean, deviation

        def call(self, features: Any) -> Any:
            return keras.ops.clip((features - self.mean) / self.deviation, -REACH, REACH)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    return Standardise()


def _hide_items(share: float, *, unknown: int) -> keras.Layer:
    keras = import_keras()

    class HideItems(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Replaces item rows by the unknown one: all without viewers, and while training a share of the others."""

        def __init__(self) -> None:
            super().__init__()
            self.random = keras.random.SeedGenerator(unknown)

        def call(self, inputs: Any, training: bool = False) -> Any:
            rows, *viewers = inputs
            if training and share:
                drawn = keras.random.uniform(keras.ops.shape(rows), seed=self.random) < share
                rows = keras.ops.where(drawn, unknown, rows)
            return keras.ops.where(viewers[0] == 0, unknown, rows) if viewers else rows

        def compute_output_shape(self, shapes: Any) -> Any:
            return shapes[0]

    return HideItems()


def _embedding(n: int, dim: int, *, seed: int, name: str) -> keras.Layer:
    keras = import_keras()

    class Embedding(keras.layers.Embedding):  # type: ignore[misc, name-defined]
        """An embedding whose gradient is dense.

        On TensorFlow the gradient of a plain one is a row for each place that was looked up, and Keras' Adam squares
        them one by one instead of their sum: a row looked up often moves too far.
        """

        def call(self, rows: Any) -> Any:
            return keras.ops.take(keras.ops.multiply(self.embeddings, 1.0), rows, axis=0)

    return Embedding(n, dim, embeddings_initializer=keras.initializers.RandomUniform(seed=seed), name=name)


def _lookup(table: NDArray[Any]) -> keras.Layer:
    keras = import_keras()

    class Lookup(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Look up rows of a fixed table of the catalogue."""

        def call(self, rows: Any) -> Any:
            return keras.ops.take(keras.ops.convert_to_tensor(table), rows, axis=0)

        def compute_output_shape(self, shape: Any) -> Any:
            return (*shape, *table.shape[1:])

    return Lookup()
