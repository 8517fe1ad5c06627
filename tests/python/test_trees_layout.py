# SPDX-License-Identifier: Apache-2.0
"""trees_layout: the arrays vote as the forest does, and nothing is stored twice."""

import pytest
from emlearn_tools.errors import EmlearnError
from emlearn_tools.model import Forest, Tree
from emlearn_tools.trees_layout import LEAF, TreesLayout, layout
from hypothesis import given
from hypothesis import strategies as st
from model_cases import FOREST, INT16, forests


def forest_votes(forest: Forest, values: list[int]) -> list[int]:
    """Votes by the definition in docs/format.md."""
    votes = [0] * forest.n_classes
    for tree in forest.trees:
        link = tree.root
        while link >= 0:
            goes_left = values[tree.feature[link]] <= tree.threshold[link]
            link = tree.left[link] if goes_left else tree.right[link]
        leaf = forest.leaves[-1 - link]
        if forest.vote == "hard":
            votes[leaf[0]] += 1
        else:
            votes = [vote + weight for vote, weight in zip(votes, leaf, strict=True)]
    return votes


def layout_votes(trees: TreesLayout, values: list[int]) -> list[int]:
    """Votes by the comments in include/emlearn/trees.h."""
    votes = [0] * trees.n_classes
    for link in trees.roots:
        while not link & 0x8000:
            threshold, feature, child0, child1 = trees.nodes[link]
            link = child0 if values[feature] <= threshold else child1
        leaf = link & 0x7FFF
        if trees.vote == 1:
            votes[trees.leaves[leaf]] += 1
        else:
            for i in range(trees.n_classes):
                votes[i] += trees.leaves[leaf * trees.n_classes + i]
    return votes


@given(forests(), st.data())
def test_layout_votes_as_the_forest_does(forest, data):
    trees = layout(forest)
    thresholds = sorted({t for tree in forest.trees for t in tree.threshold})
    near = [v for t in thresholds for v in (t - 1, t, t + 1) if -32768 <= v <= 32767]
    value = st.one_of(INT16, st.sampled_from(near)) if near else INT16
    rows = data.draw(st.lists(st.lists(value, min_size=12, max_size=12), min_size=1, max_size=10))
    for values in rows:
        assert layout_votes(trees, values) == forest_votes(forest, values)


@given(forests())
def test_children_stand_behind_their_parent_and_nothing_is_stored_twice(forest):
    trees = layout(forest)
    assert len(set(trees.nodes)) == len(trees.nodes) <= forest.n_nodes
    for number, (_, _, child0, child1) in enumerate(trees.nodes):
        assert child0 != child1
        assert all(child & LEAF or child > number for child in (child0, child1))
    size = 1 if trees.vote else trees.n_classes
    leaves = [trees.leaves[i : i + size] for i in range(0, len(trees.leaves), size)]
    assert len(set(leaves)) == len(leaves) == trees.n_leaves
    used = {link & 0x7FFF for node in trees.nodes for link in node[2:] if link & LEAF}
    used |= {link & 0x7FFF for link in trees.roots if link & LEAF}
    assert all(leaf < trees.n_leaves for leaf in used)


def test_the_layout_of_a_forest_by_hand():
    trees = layout(FOREST)
    assert trees.nodes == (
        (-500, 0, 1, LEAF | 2),
        (1000, 1, LEAF | 0, LEAF | 1),
        (300, 2, LEAF | 1, LEAF | 0),
    )
    assert trees.roots == (0, 2, LEAF | 2)
    assert trees.leaves == bytes((255, 0, 0, 0, 255, 0, 10, 100, 145))
    assert (trees.n_features, trees.n_classes, trees.vote) == (3, 3, 0)


def test_a_decision_between_equal_leaves_is_dropped():
    leaves = ((0,), (1,), (0,))
    tree = Tree(0, (0, 0), (5, 2), (1, ~0), (~1, ~2))
    trees = layout(Forest(n_features=1, n_classes=2, vote="hard", trees=(tree,), leaves=leaves))
    assert trees.nodes == ((5, 0, LEAF | 0, LEAF | 1),)
    assert trees.leaves == bytes((0, 1))


def chain(n_nodes: int, first_threshold: int = -32768) -> Tree:
    """A tree of n_nodes different nodes, each the left child of the one before."""
    return Tree(
        root=0,
        feature=(0,) * n_nodes,
        threshold=tuple(first_threshold + i for i in range(n_nodes)),
        left=(*range(1, n_nodes), ~0),
        right=(~1,) * n_nodes,
    )


def test_as_many_nodes_as_links_can_tell_apart_fit_and_one_more_does_not():
    def forest(n_nodes: int) -> Forest:
        return Forest(n_features=1, n_classes=2, vote="hard", trees=(chain(n_nodes),), leaves=((0,), (1,)))

    assert len(layout(forest(32768)).nodes) == 32768
    with pytest.raises(EmlearnError, match="32769 different nodes; 32768 can be converted") as caught:
        layout(forest(32769))
    assert "max_depth" in caught.value.hint


def test_as_many_leaves_as_links_can_tell_apart_fit_and_one_more_does_not():
    def forest(n_leaves: int) -> Forest:
        leaves = tuple((i & 255, (i >> 8) & 127, 0) for i in range(n_leaves))
        trees = tuple(Tree(~i, (), (), (), ()) for i in range(n_leaves))
        return Forest(n_features=1, n_classes=3, vote="soft", trees=trees, leaves=leaves)

    assert layout(forest(32768)).roots[-1] == 0xFFFF
    with pytest.raises(EmlearnError, match="different leaves"):
        layout(Forest(1, 3, "soft", forest(1).trees, (*forest(32768).leaves, (1, 1, 1))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_classes": 256}, "256 classes; 1 to 255"),
        ({"n_classes": 0}, "0 classes"),
        ({"n_features": 65536}, "65536 features; 1 to 65535"),
        ({"trees": ()}, "0 trees"),
        ({"trees": (Tree(~0, (), (), (), ()),) * 65536}, "65536 trees"),
    ],
)
def test_counts_that_the_structures_cannot_hold_are_refused(change, message):
    from dataclasses import replace

    with pytest.raises(EmlearnError, match=message):
        layout(replace(FOREST, **change))
