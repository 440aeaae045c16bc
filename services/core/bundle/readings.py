"""The arrays that the trusted side keeps of one model, computed from its logits.

This file is also copied into the measuring container, so it imports only the standard library and numpy.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PROBE_SIZE", "SKETCH_SIZE", "checkpoint_sha256", "predictions", "reading", "weight_sketch"]

PROBE_SIZE = 2000  # retain examples whose predictions are kept in full, fixed per benchmark
SKETCH_SIZE = 16
FLOAT32_MAX = float(np.finfo(np.float32).max)

Arrays = Mapping[str, NDArray[Any]]


def predictions(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Compress logits [n, classes] to class uint8, margin float32 and entropy float16, each [n].

    The margin is the log-odds of the label: its logit minus the log-sum-exp of the others, so the cross-entropy is
    log(1 + exp(-margin)). The entropy is that of the softmax. Both are in nats.
    """
    rows = np.arange(len(labels))
    wide = logits.astype(np.float64)  # in float32, differences of the largest numbers are infinite
    own, others = wide[rows, labels], wide.copy()
    others[rows, labels] = -np.inf
    shifted = wide - wide.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    total = exps.sum(axis=1)
    entropy = np.log(total) - (exps * shifted).sum(axis=1) / total
    return {
        "class": logits.argmax(axis=1).astype(np.uint8),
        "margin": np.clip(own - np.logaddexp.reduce(others, axis=1), -FLOAT32_MAX, FLOAT32_MAX).astype(np.float32),
        "entropy": entropy.astype(np.float16),
    }


def reading(
    *,
    forget_logits: NDArray[np.float32],
    retain_logits: NDArray[np.float32],
    test_logits: NDArray[np.float32],
    retain_labels: NDArray[np.int64],
    test_labels: NDArray[np.int64],
    probe: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:
    """Reduce one model's logits to the arrays of a reading; `probe` [<= 2000] indexes the retain set.

    Returns `forget_logits` [S, classes]; `test_*` [T] and `retain_*` [len(probe)] for class, margin and entropy; and
    `retain_correct`, one bit per retain example, packed big-endian.
    """
    test = predictions(test_logits, test_labels)
    retain = predictions(retain_logits[probe], retain_labels[probe])
    correct = retain_logits.argmax(axis=1) == retain_labels
    return {
        "forget_logits": forget_logits.astype(np.float32),
        **{f"test_{name}": values for name, values in test.items()},
        **{f"retain_{name}": values for name, values in retain.items()},
        "retain_correct": np.packbits(correct),
    }


def checkpoint_sha256(state: Arrays) -> str:
    """Hash a state dict by content: names, dtypes, shapes and bytes, in name order."""
    digest = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def weight_sketch(state: Arrays) -> NDArray[np.float32]:
    """Sum all weights with fixed random signs into 16 buckets, so that near-duplicate models can be told apart cheaply.

    Distances between sketches approximate distances between weight vectors: their squares are equal in expectation
    (the count sketch of Charikar, Chen and Farach-Colton, 2002). It takes one pass over the weights.
    """
    sketch = np.zeros(SKETCH_SIZE)
    for position, name in enumerate(sorted(state)):
        flat = np.asarray(state[name], dtype=np.float64).ravel()
        signs = 2.0 * np.random.default_rng([position, flat.size]).integers(0, 2, size=flat.size, dtype=np.int8) - 1.0
        signed = np.zeros(-(-flat.size // SKETCH_SIZE) * SKETCH_SIZE)
        np.multiply(signs, flat, out=signed[: flat.size])
        sketch += signed.reshape(-1, SKETCH_SIZE).sum(axis=0)
    return sketch.astype(np.float32)
