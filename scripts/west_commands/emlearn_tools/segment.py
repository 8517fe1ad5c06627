# SPDX-License-Identifier: Apache-2.0
"""Labels of windows: which class a window stands for, or why it stands for none."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.model import MAX_CLASSES
from emlearn_tools.recording import NO_LABEL

if TYPE_CHECKING:
    from emlearn_tools.recording import Gap, Span
    from emlearn_tools.spec import LabelRules

STRADDLING, DROPPED_LABEL, UNLABELED = -1, -2, -3
REASONS = {STRADDLING: "straddling", DROPPED_LABEL: "dropped label", UNLABELED: "unlabeled"}
"""What a negative class index means."""

LOST_FRAMES, TOO_SHORT = "lost frames", "too short"
"""Reasons that give no window at all: see missing_windows()."""


def merged(label: str, rules: "LabelRules") -> str:
    """The name that `label` goes by after merging."""
    for new, old in rules.merge.items():
        if label in old:
            return new
    return label


def classes_of(labels: Iterable[str], rules: "LabelRules", where: object = "labels") -> tuple[str, ...]:
    """Class names by class index: rules.keep in its order, else all labels that are not dropped, sorted.

    labels: those that occur in the recordings. Raises EmlearnError for a label of the rules that does not
    occur (a dropped one may be missing), for fewer than two classes and for more than 255.
    """
    present = sorted(set(labels))
    named = {merged(label, rules) for label in present}
    known = "labels of the recordings: " + ", ".join(label or '""' for label in present)
    for label in rules.keep:
        if label not in named:
            raise EmlearnError(f"no recording has the label '{label}'", where, known)
    for new, old in rules.merge.items():
        if new not in named:
            raise EmlearnError(
                f"no recording has any of {', '.join(old)}, to be merged into '{new}'", where, known
            )
    classes = rules.keep or tuple(sorted(name for name in named if name not in (*rules.drop, *NO_LABEL)))
    if len(classes) < 2:
        raise EmlearnError(f"{len(classes)} class(es) after merging and dropping, two at least", where, known)
    if len(classes) > MAX_CLASSES:
        raise EmlearnError(
            f"{len(classes)} classes, {MAX_CLASSES} at most", where, "keep, drop or merge some"
        )
    return tuple(classes)


def join(
    end: np.ndarray,
    window_len: int,
    spans: Sequence["Span"],
    classes: Sequence[str],
    rules: "LabelRules",
    how: str,
) -> np.ndarray:
    """Class index of every window, or STRADDLING, DROPPED_LABEL or UNLABELED; (k,) int64.

    end: (k,) number of the last frame of each window, window_len - 1 or more. spans: labels of all frames.
    how: "pure": all frames must carry the same label after merging, else the window straddles. "majority":
    the label of most frames wins, the later one among equals. Without any frame of a class a window is
    UNLABELED or DROPPED_LABEL, whichever holds more frames.
    """
    if how not in ("pure", "majority"):
        raise ValueError(f"unknown way to join: {how}")
    names, frames = _frame_labels(spans, rules)
    if len(end) == 0:
        return np.zeros(0, np.int64)
    meaning = np.array([_meaning(name, classes) for name in names], np.int64)
    counts = np.stack([_counts(frames == i, end, window_len) for i in range(len(names))], axis=1)
    if how == "pure":
        winner = np.argmax(counts, axis=1)
        result = np.where(counts.max(axis=1) == window_len, meaning[winner], STRADDLING)
    else:
        result = meaning[_majority(counts, frames, end, window_len)]
    no_class = counts[:, meaning >= 0].sum(axis=1) == 0
    unlabeled = counts[:, meaning == UNLABELED].sum(axis=1)
    dropped = counts[:, meaning == DROPPED_LABEL].sum(axis=1)
    return np.where(no_class, np.where(unlabeled >= dropped, UNLABELED, DROPPED_LABEL), result)


def missing_windows(n_frames: int, gaps: Sequence["Gap"], window_len: int, hop_len: int) -> dict[str, int]:
    """Windows that a recording does not give: {reason: number}, reasons LOST_FRAMES and TOO_SHORT.

    LOST_FRAMES: windows that its frames would have given without the gaps, less those that they do give.
    TOO_SHORT: 1 for a recording that is shorter than one window even so.
    """
    edges = [0, *(gap.frame for gap in gaps), n_frames]
    given = sum(
        _n_windows(stop - start, window_len, hop_len) for start, stop in zip(edges, edges[1:], strict=False)
    )
    whole = _n_windows(n_frames, window_len, hop_len)
    return {LOST_FRAMES: whole - given, TOO_SHORT: int(whole == 0)}


def _n_windows(n_frames: int, window_len: int, hop_len: int) -> int:
    return 0 if n_frames < window_len else (n_frames - window_len) // hop_len + 1


def _frame_labels(spans: Sequence["Span"], rules: "LabelRules") -> tuple[list[str], np.ndarray]:
    """Names after merging, in order of first appearance, and for each frame the number of its name."""
    numbers: dict[str, int] = {}
    parts = [
        np.full(span.stop - span.start, numbers.setdefault(merged(span.label, rules), len(numbers)), np.int32)
        for span in spans
    ]
    return list(numbers), np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _meaning(name: str, classes: Sequence[str]) -> int:
    if name in classes:
        return list(classes).index(name)
    return UNLABELED if name in NO_LABEL else DROPPED_LABEL


def _counts(mask: np.ndarray, end: np.ndarray, window_len: int) -> np.ndarray:
    before = np.concatenate(([0], np.cumsum(mask)))
    return before[end + 1] - before[end + 1 - window_len]


def _majority(counts: np.ndarray, frames: np.ndarray, end: np.ndarray, window_len: int) -> np.ndarray:
    winner = np.argmax(counts, axis=1)
    most = counts.max(axis=1)
    for i in np.flatnonzero((counts == most[:, None]).sum(axis=1) > 1):
        window = frames[end[i] + 1 - window_len : end[i] + 1][::-1]
        winner[i] = next(number for number in window if counts[i, number] == most[i])
    return winner
