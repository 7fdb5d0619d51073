"""The ranking model is the same on JAX and on TensorFlow.

Compared: the losses of both heads after each of 30 updates, and both heads of the exported network, from the same first
weights on the same batch. Not compared: shuffling, dropout and hidden titles, for each back end draws its own; with
them two trainings differ as two seeds do.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

TOLERANCE = 1e-4
"""Of losses around 3 and scores around 1; measured: 5e-7."""


def trained(backend: str, folder: Path) -> dict[str, np.ndarray]:
    target = folder / f"{backend}.npz"
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("train_network.py")), str(target)],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    with np.load(target) as arrays:
        return dict(arrays)


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="TensorFlow is not installed here: make tensorflow runs this in an environment of its own",
)
def test_tensorflow_trains_the_same_network(tmp_path: Path) -> None:
    jax, tensorflow = trained("jax", tmp_path), trained("tensorflow", tmp_path)
    assert (str(jax.pop("backend")), str(tensorflow.pop("backend"))) == ("jax", "tensorflow")
    for name, values in jax.items():
        assert np.allclose(values, tensorflow[name], rtol=0, atol=TOLERANCE), name


def test_the_network_learns_what_is_there_to_learn(tmp_path: Path) -> None:
    losses = trained("jax", tmp_path)
    for name in ("order_loss", "like_loss"):
        assert losses[name][-1] < 0.96 * losses[name][0], name
