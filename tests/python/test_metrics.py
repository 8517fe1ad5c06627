# SPDX-License-Identifier: Apache-2.0
"""metrics: the same figures as scikit-learn's."""

import math

import numpy as np
import pytest
from emlearn_tools import metrics
from hypothesis import given
from hypothesis import strategies as st

sklearn_metrics = pytest.importorskip("sklearn.metrics")

pytestmark = pytest.mark.filterwarnings("ignore:A single label was found")


@st.composite
def predictions(draw):
    n = draw(st.integers(1, 6))
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1, max_size=60))
    y_true, y_pred = np.array(pairs).T
    return n, y_true, y_pred


@given(predictions())
def test_scores_are_those_of_scikit_learn(case):
    n, y_true, y_pred = case
    matrix = metrics.confusion(y_true, y_pred, n)
    assert (matrix == sklearn_metrics.confusion_matrix(y_true, y_pred, labels=range(n))).all()
    assert metrics.accuracy(matrix) == pytest.approx(
        sklearn_metrics.accuracy_score(y_true, y_pred), abs=1e-12
    )
    expected = sklearn_metrics.precision_recall_fscore_support(
        y_true, y_pred, labels=range(n), zero_division=0
    )
    for key, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose(metrics.per_class(matrix)[key], values, atol=1e-12)


@given(predictions())
def test_macro_f1_is_over_the_classes_that_occur_in_truth(case):
    n, y_true, y_pred = case
    expected = sklearn_metrics.f1_score(
        y_true, y_pred, labels=sorted(set(y_true.tolist())), average="macro", zero_division=0
    )
    assert metrics.macro_f1(metrics.confusion(y_true, y_pred, n)) == pytest.approx(expected, abs=1e-12)


def test_a_class_that_never_occurs_does_not_lower_macro_f1():
    matrix = metrics.confusion([0, 1], [0, 1], 3)
    assert metrics.macro_f1(matrix) == 1.0
    assert metrics.per_class(matrix)["f1"].tolist() == [1.0, 1.0, 0.0]


def test_without_windows_there_is_no_score():
    matrix = metrics.confusion([], [], 2)
    assert matrix.shape == (2, 2) and matrix.dtype == np.int64
    assert math.isnan(metrics.accuracy(matrix)) and math.isnan(metrics.macro_f1(matrix))


@pytest.mark.parametrize(
    ("y_true", "y_pred"), [([0, 2], [0, 0]), ([0, 0], [0, 2]), ([0, 0], [-1, 0]), ([0], [0, 0])]
)
def test_indices_out_of_range_and_lengths_that_differ_are_refused(y_true, y_pred):
    with pytest.raises(ValueError):
        metrics.confusion(y_true, y_pred, 2)
