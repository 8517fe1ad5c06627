# SPDX-License-Identifier: Apache-2.0
"""Estimators of scikit-learn for a spec: made, fitted, and what their features are worth."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from emlearn_tools.errors import EmlearnError


def make(kind: str, params: Mapping[str, Any], seed: int) -> Any:
    """An estimator that is not fitted. kind: "decision_tree", "random_forest" or "extra_trees"."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

    classes = {
        "decision_tree": DecisionTreeClassifier,
        "random_forest": RandomForestClassifier,
        "extra_trees": ExtraTreesClassifier,
    }
    return classes[kind](**params, random_state=seed)


def fit(kind: str, params: Mapping[str, Any], x: np.ndarray, y: np.ndarray, seed: int) -> Any:
    """A fitted estimator. x: (k, n) int16, y: (k,). Raises EmlearnError for parameters that scikit-learn
    refuses."""
    try:
        return make(kind, params, seed).fit(x, y)
    except (ValueError, TypeError) as error:
        text = " ".join(str(error).split())
        raise EmlearnError(f"scikit-learn refuses {dict(params)}: {text}", "model") from error


def permutation_loss(estimator: Any, x: np.ndarray, y: np.ndarray, n_classes: int, seed: int) -> np.ndarray:
    """Macro-F1 that the estimator loses on (x, y) when one feature is shuffled; (n_features,) float64."""
    from emlearn_tools import metrics

    def score(rows: np.ndarray) -> float:
        return metrics.macro_f1(metrics.confusion(y, estimator.predict(rows), n_classes))

    whole = score(x)
    order = np.random.default_rng(seed).permutation(len(x))
    result = np.zeros(x.shape[1])
    for column in range(x.shape[1]):
        shuffled = x.copy()
        shuffled[:, column] = x[order, column]
        result[column] = whole - score(shuffled)
    return result


def importance(
    estimator: Any, x: np.ndarray, y: np.ndarray, n_classes: int, method: str, seed: int
) -> np.ndarray:
    """What each feature is worth, (n_features,) float64, larger is better.

    method: "importance" (mean decrease of impurity, as scikit-learn has it) or "permutation"
    (permutation_loss() on the rows given).
    """
    if method == "permutation":
        return permutation_loss(estimator, x, y, n_classes, seed)
    return np.asarray(estimator.feature_importances_, np.float64)
