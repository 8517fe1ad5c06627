# SPDX-License-Identifier: Apache-2.0
"""Trees from scikit-learn reach the same leaf for every row, whatever the integers."""

import numpy as np
import pytest
from emlearn_tools import from_sklearn
from emlearn_tools.errors import EmlearnError
from emlearn_tools.model import SOFT_VOTES
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

EDGES = (-32768, -32767, -1, 0, 1, 32766, 32767)


def fitted_trees(estimator):
    return getattr(estimator, "estimators_", [estimator])


def leaf_order(tree):
    """Leaves of a fitted tree in depth-first order, left first: node number -> its place."""
    places, pending = {}, [0]
    while pending:
        node = pending.pop()
        if tree.children_left[node] == -1:
            places[node] = len(places)
        else:
            pending += [tree.children_right[node], tree.children_left[node]]
    return places


def link_order(tree):
    """Leaves of a Tree in depth-first order, left first: (node, side) that leads to it -> its place."""
    places, pending = {}, [(None, 0, tree.root)]
    while pending:
        node, side, link = pending.pop()
        if link < 0:
            places[node, side] = len(places)
        else:
            pending += [(link, 1, tree.right[link]), (link, 0, tree.left[link])]
    return places


def descend(tree, row):
    """The (node, side) that leads to the leaf of a row, and the leaf."""
    node, side, link = None, 0, tree.root
    while link >= 0:
        node, side = link, int(row[tree.feature[link]] > tree.threshold[link])
        link = (tree.left, tree.right)[side][link]
    return (node, side), ~link


@st.composite
def problems(draw):
    n_rows, n_features = draw(st.integers(2, 40)), draw(st.integers(1, 5))
    n_classes = draw(st.integers(1, 6))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    kind = draw(st.sampled_from(["wide", "narrow", "edges"]))
    if kind == "wide":
        x = rng.integers(-32768, 32768, (n_rows, n_features))
    elif kind == "narrow":
        x = rng.integers(-3, 4, (n_rows, n_features))
    else:
        x = rng.choice(EDGES, (n_rows, n_features))
    y = rng.integers(0, n_classes, n_rows)
    params = {
        "max_depth": draw(st.sampled_from([None, 1, 3])),
        "min_samples_leaf": draw(st.integers(1, 3)),
        "class_weight": draw(st.sampled_from([None, "balanced"])),
        "random_state": seed % 1000,
    }
    maker = draw(st.sampled_from([DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier]))
    if maker is not DecisionTreeClassifier:
        params["n_estimators"] = draw(st.integers(1, 6))
    return maker(**params).fit(x.astype(np.int16), y), x.astype(np.int16), n_classes, rng


def probes(estimator, x, rng):
    """Rows of the data, extremes, and values at and beside every threshold."""
    thresholds = np.concatenate([tree.tree_.threshold for tree in fitted_trees(estimator)])
    near = np.concatenate([np.floor(thresholds) + d for d in (-1, 0, 1, 2)])
    values = np.clip(np.concatenate([near, EDGES]), -32768, 32767).astype(np.int16)
    return np.concatenate([x, rng.choice(values, (60, x.shape[1]))])


@given(problems(), st.sampled_from(["soft", "hard"]))
def test_every_tree_reaches_the_leaf_of_scikit_learn(problem, vote):
    estimator, x, n_classes, rng = problem
    forest = from_sklearn.forest(estimator, n_classes, vote)
    rows = probes(estimator, x, rng)
    assert len(forest.trees) == len(fitted_trees(estimator))
    assert len(set(forest.leaves)) == len(forest.leaves)
    for tree, fitted in zip(forest.trees, fitted_trees(estimator), strict=True):
        theirs, ours = leaf_order(fitted.tree_), link_order(tree)
        assert len(theirs) == len(ours)
        for row, node in zip(rows.tolist(), fitted.apply(rows), strict=True):
            place, leaf = descend(tree, row)
            assert ours[place] == theirs[node]
            weights = np.zeros(n_classes)
            weights[fitted.classes_.astype(int) if fitted is estimator else estimator.classes_] = (
                fitted.tree_.value[node][0]
            )
            exact = weights / weights.sum()
            if vote == "soft":
                assert sum(forest.leaves[leaf]) == SOFT_VOTES
                assert np.abs(np.array(forest.leaves[leaf]) - exact * SOFT_VOTES).max() < 1
            else:
                assert forest.leaves[leaf] == (int(np.argmax(exact)),)


@given(problems())
def test_votes_decide_as_scikit_learn_but_for_less_than_a_step_a_leaf(problem):
    estimator, x, n_classes, rng = problem
    forest = from_sklearn.forest(estimator, n_classes)
    rows = probes(estimator, x, rng)
    shares = estimator.predict_proba(rows)
    column = {int(c): i for i, c in enumerate(estimator.classes_)}
    for row, theirs in zip(rows.tolist(), shares, strict=True):
        votes = np.sum([forest.leaves[descend(tree, row)[1]] for tree in forest.trees], axis=0)
        ours = int(np.argmax(votes))
        assert theirs.max() - theirs[column[ours]] < 2 / SOFT_VOTES


def test_nodes_stand_depth_first_left_first():
    rng = np.random.default_rng(3)
    x = rng.integers(-100, 100, (300, 4)).astype(np.int16)
    estimator = RandomForestClassifier(3, random_state=0).fit(x, rng.integers(0, 3, 300))
    for tree in from_sklearn.forest(estimator).trees:
        seen, pending = [], [tree.root]
        while pending:
            link = pending.pop()
            if link >= 0:
                seen.append(link)
                pending += [tree.right[link], tree.left[link]]
        assert seen == list(range(len(tree.feature)))


def test_leaves_are_shared_by_the_whole_forest():
    x = np.arange(40, dtype=np.int16).reshape(-1, 1)
    estimator = RandomForestClassifier(8, random_state=0, bootstrap=False).fit(x, x[:, 0] % 4 // 2)
    assert sorted(from_sklearn.forest(estimator).leaves) == [(0, SOFT_VOTES), (SOFT_VOTES, 0)]


def test_classes_that_a_fold_never_saw_get_no_votes():
    x = np.array([[0], [10]], np.int16)
    forest = from_sklearn.forest(DecisionTreeClassifier().fit(x, [1, 4]), 6)
    assert forest.n_classes == 6
    assert set(forest.leaves) == {(0, SOFT_VOTES, 0, 0, 0, 0), (0, 0, 0, 0, SOFT_VOTES, 0)}


@pytest.mark.parametrize(("shift", "expected"), [(-40000.5, 1), (40000.5, 0), (32767.5, 0), (-32768.5, 1)])
def test_a_decision_that_no_int16_can_take_is_left_out(shift, expected):
    """Trained on wider numbers than features have: one side of such a decision can never be reached."""
    x = np.array([[shift - 0.5], [shift + 0.5]])
    forest = from_sklearn.forest(DecisionTreeClassifier().fit(x, [0, 1]))
    assert forest.trees[0].feature == ()
    assert forest.leaves[~forest.trees[0].root].index(SOFT_VOTES) == expected


def test_a_threshold_between_integers_is_rounded_down():
    x = np.array([[-4], [-3]], np.int16)
    forest = from_sklearn.forest(DecisionTreeClassifier().fit(x, [0, 1]))
    assert forest.trees[0].threshold == (-4,)


def test_a_deep_tree_does_not_recurse():
    n = 3000
    x = np.arange(n, dtype=np.int16).reshape(-1, 1)
    estimator = DecisionTreeClassifier(splitter="best").fit(x, np.arange(n) % 2)
    assert len(from_sklearn.forest(estimator).trees[0].feature) == n - 1


X2, Y2 = np.array([[0], [1]], np.int16), np.array([0, 1])


@pytest.mark.parametrize(
    ("make", "kwargs", "message"),
    [
        (lambda: DecisionTreeClassifier(), {}, "cannot be converted"),
        (lambda: RandomForestClassifier(), {}, "cannot be converted"),
        (lambda: GradientBoostingClassifier().fit(X2, Y2), {}, "GradientBoostingClassifier cannot"),
        (lambda: DecisionTreeClassifier().fit(X2, Y2), {"vote": "loud"}, "'loud' is neither"),
        (lambda: DecisionTreeClassifier().fit(X2, Y2 + 1), {"n_classes": 2}, "not indices below 2"),
        (lambda: DecisionTreeClassifier().fit(X2, Y2 + 254), {}, "not indices below 255"),
        (lambda: DecisionTreeClassifier().fit(X2, Y2), {"n_classes": 256}, "not indices below 256"),
        (lambda: DecisionTreeClassifier().fit(X2, np.stack([Y2, Y2], axis=1)), {}, "2 outputs"),
    ],
)
def test_what_cannot_be_converted_is_refused(make, kwargs, message):
    with pytest.raises(EmlearnError, match=message):
        from_sklearn.forest(make(), **kwargs)
