# SPDX-License-Identifier: Apache-2.0
"""The arrays of `struct emlearn_trees` for a forest: what the converter writes and the host library runs.

Standard library only.
"""

from dataclasses import dataclass

from emlearn_tools.errors import EmlearnError
from emlearn_tools.model import MAX_CLASSES, MAX_FEATURES, Forest

LEAF = 0x8000
"""Top bit of a link that leads to a leaf; EMLEARN_TREES_LEAF."""

MAX_LINKS = 0x8000
"""Nodes, and leaves, that a 15-bit link can tell apart."""

MAX_TREES = 65535

VOTES = ("soft", "hard")
"""Ways to vote, by their number in enum emlearn_trees_vote."""


@dataclass(frozen=True)
class TreesLayout:
    """A forest as the C structures hold it.

    nodes: (threshold, feature, child0, child1) each, child0 taken if features[feature] <= threshold. roots:
    one link a tree. A link is a node number, or LEAF | leaf number. leaves: n_classes weights a leaf ("soft")
    or one class index ("hard"). vote: index into VOTES.
    """

    nodes: tuple[tuple[int, int, int, int], ...]
    roots: tuple[int, ...]
    leaves: bytes
    n_features: int
    n_classes: int
    vote: int

    @property
    def n_leaves(self) -> int:
        """Leaves stored."""
        return len(self.leaves) // (1 if self.vote else self.n_classes)


def layout(forest: Forest) -> TreesLayout:
    """Lay out a forest: equal leaves and subtrees are stored once, and a decision between equals is dropped.

    The result votes as the forest does for every input. Raises EmlearnError for a forest that the links or
    counts of the C structures cannot hold.
    """
    _check_counts(forest)
    leaf_numbers: dict[tuple[int, ...], int] = {}
    leaf_links = [LEAF | leaf_numbers.setdefault(leaf, len(leaf_numbers)) for leaf in forest.leaves]
    if len(leaf_numbers) > MAX_LINKS:
        raise _too_large("different leaves", len(leaf_numbers))

    # Children stand behind their parent, so from the back to the front each child is known before its parent.
    numbers: dict[tuple[int, int, int, int], int] = {}
    roots = []
    for tree in reversed(forest.trees):
        links = [0] * len(tree.feature)

        def target(link: int, links: list[int] = links) -> int:
            return links[link] if link >= 0 else leaf_links[~link]

        for i in range(len(tree.feature) - 1, -1, -1):
            left, right = target(tree.left[i]), target(tree.right[i])
            if left == right:
                links[i] = left
            else:
                node = (tree.threshold[i], tree.feature[i], left, right)
                # Beyond MAX_LINKS a number would read as a leaf; the check below refuses the forest.
                links[i] = numbers.setdefault(node, len(numbers))
        if len(numbers) > MAX_LINKS:
            raise _too_large("different nodes", len(numbers))
        roots.append(target(tree.root))

    # Number them the other way round: parents first, trees in their order.
    last = len(numbers) - 1

    def turned(link: int) -> int:
        return link if link & LEAF else last - link

    return TreesLayout(
        nodes=tuple((t, f, turned(a), turned(b)) for t, f, a, b in reversed(numbers)),
        roots=tuple(turned(link) for link in reversed(roots)),
        leaves=bytes(weight for leaf in leaf_numbers for weight in leaf),
        n_features=forest.n_features,
        n_classes=forest.n_classes,
        vote=VOTES.index(forest.vote),
    )


def _check_counts(forest: Forest) -> None:
    limits = (
        ("classes", forest.n_classes, MAX_CLASSES),
        ("features", forest.n_features, MAX_FEATURES),
        ("trees", len(forest.trees), MAX_TREES),
    )
    for noun, count, most in limits:
        if not 1 <= count <= most:
            raise EmlearnError(f"a forest with {count} {noun}; 1 to {most} can be converted", "trees")


def _too_large(noun: str, count: int) -> EmlearnError:
    return EmlearnError(
        f"a forest with at least {count} {noun}; {MAX_LINKS} can be converted",
        "trees",
        "train fewer or smaller trees (n_estimators, max_depth, max_leaf_nodes, min_samples_leaf)",
    )
