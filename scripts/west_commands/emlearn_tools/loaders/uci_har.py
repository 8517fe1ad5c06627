# SPDX-License-Identifier: Apache-2.0
"""The folders "Inertial Signals" of "Human Activity Recognition Using Smartphones", version 1.0.

UCI Machine Learning Repository, data set 240, https://doi.org/10.24432/C54S4K. 50 Hz, phone on the waist,
filtered.

    train/Inertial Signals/total_acc_x_train.txt  (y, z)   acceleration in g, one window of 128 frames a line
    train/Inertial Signals/body_gyro_x_train.txt  (y, z)   rad/s
    train/y_train.txt, train/subject_train.txt             activity and person of each window; the same in
    test/

Windows overlap by half. Lines are joined to a recording for as long as the second half of one is the first
half of the next, of the same person; where they overlap and their labels differ, the frames in common are
`unlabeled`.
"""

import re
from functools import partial

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders.files import Files
from emlearn_tools.loaders.source import Source
from emlearn_tools.loaders.table import IndexEntry, from_columns
from emlearn_tools.loaders.text_table import read_numbers
from emlearn_tools.recording import RawRecording
from emlearn_tools.spec import AXES
from emlearn_tools.steps import SENSORS

RATE_HZ = 50.0
SIGNALS = ("total_acc", "body_gyro")

ACTIVITIES = "walking walking_upstairs walking_downstairs sitting standing laying".split()
"""By number, from 1."""

_FIRST = re.compile(r"(?P<folder>(?:.*/)?)Inertial Signals/total_acc_x_(?P<split>train|test)\.txt")


def sources(files: Files, prefix: str) -> list[Source]:
    """Return one source a split (train, test). Raises EmlearnError if one of its eight files is missing."""
    found = []
    for first in files.names:
        match = _FIRST.fullmatch(first)
        if not match:
            continue
        folder, split = match["folder"], match["split"]
        signals = [
            f"{folder}Inertial Signals/{signal}_{axis}_{split}.txt" for signal in SIGNALS for axis in AXES
        ]
        tables = [f"{folder}y_{split}.txt", f"{folder}subject_{split}.txt"]
        for needed in signals + tables:
            if not files.has(needed):
                raise EmlearnError(
                    f"is missing beside {first}", files.where(needed), "unpack the whole archive"
                )
        name = f"{prefix}/{folder}".rstrip("/")
        reader = partial(_read, files, signals, tables, name)
        found.append(Source(name, files.where(first), reader, entry=IndexEntry(rate_hz=RATE_HZ)))
    return found


def _read(files: Files, signals: list[str], tables: list[str], name: str) -> list[RawRecording]:
    windows = [read_numbers(files, signal) for signal in signals]
    activity, subject = (read_numbers(files, table, 1)[:, 0].astype(int) for table in tables)
    where = files.where(signals[0])
    n, window_len = windows[0].shape
    if window_len % 2 or any(window.shape != (n, window_len) for window in windows):
        shapes = ", ".join(str(window.shape) for window in windows)
        raise EmlearnError(f"the signals' shapes differ or are odd: {shapes}", where, "unpack it again")
    if len(activity) != n or len(subject) != n:
        what = f"{n} windows, {len(activity)} activities, {len(subject)} subjects"
        raise EmlearnError(what, where, "unpack it again")
    if activity.min() < 1 or activity.max() > len(ACTIVITIES):
        raise EmlearnError(f"an activity is not 1 to {len(ACTIVITIES)}", files.where(tables[0]))
    frames = np.stack(windows, axis=2)
    frames[:, :, 3:] = np.degrees(frames[:, :, 3:])
    half = window_len // 2
    joined = (frames[:-1, half:] == frames[1:, :half]).all(axis=(1, 2)) & (subject[1:] == subject[:-1])
    starts = np.concatenate(([0], np.flatnonzero(~joined) + 1))
    channels = tuple(f"{sensor}_{axis}" for sensor in SENSORS for axis in AXES)
    recordings = []
    for start, stop in zip(starts, [*starts[1:], n], strict=True):
        values = np.concatenate([frames[start, :half], *frames[start:stop, half:]])
        labels = np.repeat(_half_labels(activity[start:stop]), half)
        part = f"w{start + 1:04d}"
        entry = IndexEntry(f"u{subject[start]:02d}", part, RATE_HZ)
        time_s = np.arange(len(values)) / RATE_HZ
        recordings.append(from_columns(f"{name}/{part}", entry, channels, time_s, values, labels, where))
    return recordings


def _half_labels(activity: np.ndarray) -> list[str]:
    """Return the label of each half window of a run of k windows that overlap by half: k + 1 labels."""
    before, after = np.append(activity[0], activity), np.append(activity, activity[-1])
    return [ACTIVITIES[a - 1] if a == b else "unlabeled" for a, b in zip(before, after, strict=True)]
