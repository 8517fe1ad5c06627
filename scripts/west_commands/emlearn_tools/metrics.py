# SPDX-License-Identifier: Apache-2.0
"""Scores of a classifier from its confusion matrix: rows are the true class, columns the predicted one."""

from collections.abc import Sequence

import numpy as np


def confusion(y_true: Sequence[int] | np.ndarray, y_pred: Sequence[int] | np.ndarray, n: int) -> np.ndarray:
    """Count pairs of true and predicted class.

    y_true, y_pred: (k,) class indices, 0 to n - 1. Returns (n, n) int64. Raises ValueError if lengths differ
    or an index is out of range.
    """
    true, pred = np.asarray(y_true, dtype=np.int64), np.asarray(y_pred, dtype=np.int64)
    if true.shape != pred.shape or true.ndim != 1:
        raise ValueError(f"true and predicted classes differ in shape: {true.shape} and {pred.shape}")
    for y in (true, pred):
        if y.size and not (0 <= y.min() and y.max() < n):
            raise ValueError(f"a class index is not in 0 .. {n - 1}")
    return np.bincount(true * n + pred, minlength=n * n).reshape(n, n)


def accuracy(matrix: np.ndarray) -> float:
    """Share of windows on the diagonal, 0 to 1; nan without windows."""
    total = int(matrix.sum())
    return float(np.trace(matrix)) / total if total else float("nan")


def per_class(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall, f1 (float64) and support (int64), (n,) each, one entry a class.

    0 where the quotient has no meaning: a class that was never predicted has precision 0.
    """
    hits = np.diag(matrix).astype(np.float64)
    support, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    return {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, support),
        "f1": _ratio(2.0 * hits, support + predicted),
        "support": support.astype(np.int64),
    }


def macro_f1(matrix: np.ndarray) -> float:
    """Mean f1 over the classes that occur in truth, 0 to 1; nan without windows."""
    scores = per_class(matrix)
    occurs = scores["support"] > 0
    return float(scores["f1"][occurs].mean()) if occurs.any() else float("nan")


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0)
