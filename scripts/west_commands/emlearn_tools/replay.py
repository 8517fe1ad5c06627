# SPDX-License-Identifier: Apache-2.0
"""A recording through the C pipeline of a model, decision by decision, as firmware would print it."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from emlearn_tools import metrics, native, segment
from emlearn_tools.artifact import Model
from emlearn_tools.evaluate import Decided, decide
from emlearn_tools.recording import Progress, Recording
from emlearn_tools.trees_layout import layout

Mount = tuple[tuple[int, int], ...]
"""Three (axis 0..2, sign +1/-1): axis i of the turned device is that axis of the recording."""


class Line(NamedTuple):
    """One decision: its wire line, the true label or in brackets why there is none, whether it is right."""

    wire: str
    truth: str
    right: bool | None


class Turned(NamedTuple):
    """What a mount does to decisions.

    n_labelled: windows with a true label. macro_f1, accuracy: of those after smoothing, nan without any.
    unchanged: share of all windows that have the same class as without turning, nan without any.
    """

    mount: Mount
    n_labelled: int
    macro_f1: float
    accuracy: float
    unchanged: float


def lines(model: Model, decided: Decided) -> Iterator[Line]:
    """Every decision on a recording, in order.

    Time counts from the first frame, lost frames included, at the nominal rate as a whole number of
    nanoseconds a frame, as firmware without a clock of its own counts it.
    """
    windows = decided.windows
    period_ns = 10**12 // model.spec.rate_mhz
    n_votes = model.forest.n_votes
    lost = np.cumsum(windows.n_lost.astype(np.int64))
    for i in range(len(windows.end)):
        class_idx, window_class = int(windows.class_idx[i]), int(windows.window_class[i])
        decision = native.Decision(
            t_us=(int(windows.end[i]) + int(lost[i])) * period_ns // 1000,
            class_idx=class_idx,
            window_class_idx=window_class,
            votes=int(windows.votes[i, window_class]),
            n_votes=n_votes,
            n_lost=int(windows.n_lost[i]),
            warming=bool(windows.warming[i]),
        )
        truth = int(decided.truth[i])
        yield Line(
            wire=native.wire_encode(decision, model.digest32, model.classes[class_idx]),
            truth=model.classes[truth] if truth >= 0 else f"({segment.REASONS[truth]})",
            right=truth == class_idx if truth >= 0 else None,
        )


def score(model: Model, decided: Sequence[Decided]) -> tuple[int, float, float]:
    """Labelled windows, and macro-F1 and accuracy of the smoothed classes on them (nan without any)."""
    n_classes = len(model.classes)
    matrix = np.zeros((n_classes, n_classes), np.int64)
    for d in decided:
        kept = d.truth >= 0
        matrix += metrics.confusion(d.truth[kept], d.windows.class_idx[kept], n_classes)
    return int(matrix.sum()), metrics.macro_f1(matrix), metrics.accuracy(matrix)


def mounts() -> tuple[Mount, ...]:
    """The 24 ways to turn a device so that its axes lie along the old ones, unturned first."""
    found = []
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((3, 3), np.int64)
            matrix[range(3), axes] = signs
            # A device can be turned, not mirrored.
            if round(np.linalg.det(matrix)) == 1:
                found.append(tuple(zip(axes, signs, strict=True)))
    return tuple(found)


def turn(recording: Recording, mount: Mount) -> Recording:
    """The recording as a device sees it that is mounted in another way; every sensor is turned alike."""
    order = [3 * sensor + axis for sensor in range(recording.samples.shape[1] // 3) for axis, _ in mount]
    signs = [sign for _ in range(recording.samples.shape[1] // 3) for _, sign in mount]
    turned = recording.samples[:, order].astype(np.int32) * signs
    # The opposite of -32768 is one more than int16 holds.
    samples = np.ascontiguousarray(np.minimum(turned, np.iinfo(np.int16).max).astype(np.int16))
    return replace(recording, samples=samples)


def rotate(model: Model, recordings: Sequence[Recording], progress: Progress | None = None) -> list[Turned]:
    """What each of the 24 mounts does to the decisions on these recordings, the one without turning first.

    progress: called with (mounts done, in all).
    """
    trees = layout(model.forest)
    plain = [decide(model, trees, recording) for recording in recordings]
    n_windows = sum(len(d.truth) for d in plain)
    result = []
    for number, mount in enumerate(mounts(), start=1):
        decided = [decide(model, trees, turn(recording, mount)) for recording in recordings]
        n_same = sum(
            int((a.windows.class_idx == b.windows.class_idx).sum())
            for a, b in zip(plain, decided, strict=True)
        )
        unchanged = n_same / n_windows if n_windows else float("nan")
        result.append(Turned(mount, *score(model, decided), unchanged))
        if progress:
            progress(number, 24)
    return result
