# SPDX-License-Identifier: Apache-2.0
"""The folder RawData of "Smartphone-Based Recognition of Human Activities and Postural Transitions",
version 2.1.

UCI Machine Learning Repository, data set 341, https://doi.org/10.24432/C54G7M. 50 Hz, phone on the waist.

    RawData/acc_expXX_userYY.txt    x y z in g, one line a frame
    RawData/gyro_expXX_userYY.txt   x y z in rad/s, the same frames
    RawData/labels.txt              experiment, user, activity, first and last frame (from 1) of each segment

Frames outside of every segment are `unlabeled`.
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

ACTIVITIES = (
    "walking walking_upstairs walking_downstairs sitting standing laying"
    " stand_to_sit sit_to_stand sit_to_lie lie_to_sit stand_to_lie lie_to_stand"
).split()
"""By number, from 1."""

_ACC = re.compile(r"(?P<folder>(?:.*/)?)acc_exp(?P<experiment>\d+)_user(?P<user>\d+)\.txt")


def sources(files: Files, prefix: str) -> list[Source]:
    """Return one source an experiment. Raises EmlearnError if the gyroscope's file or labels.txt is
    missing."""
    found = []
    segments: dict[str, np.ndarray] = {}
    for acc_name in files.names:
        match = _ACC.fullmatch(acc_name)
        if not match:
            continue
        folder = match["folder"]
        gyro_name = f"{folder}gyro_exp{match['experiment']}_user{match['user']}.txt"
        for needed in (gyro_name, f"{folder}labels.txt"):
            if not files.has(needed):
                raise EmlearnError(
                    f"is missing beside {acc_name}", files.where(needed), "unpack the whole archive"
                )
        if folder not in segments:
            segments[folder] = _read_segments(files, f"{folder}labels.txt")
        rows = segments[folder]
        own = rows[(rows[:, 0] == int(match["experiment"])) & (rows[:, 1] == int(match["user"]))]
        name = f"{prefix}/{folder}exp{match['experiment']}_user{match['user']}"
        entry = IndexEntry(f"u{match['user']}", f"e{match['experiment']}", RATE_HZ)
        reader = partial(_read, files, (acc_name, gyro_name), own[:, 2:], name, entry)
        found.append(Source(name, files.where(acc_name), reader, entry=entry))
    return found


def _read_segments(files: Files, file_name: str) -> np.ndarray:
    rows = read_numbers(files, file_name, 5)
    if (rows != np.floor(rows)).any():
        raise EmlearnError("holds numbers that are not whole", files.where(file_name))
    bad = np.flatnonzero((rows[:, 2] < 1) | (rows[:, 2] > len(ACTIVITIES)))
    if len(bad):
        raise EmlearnError(
            f"activity {rows[bad[0], 2]:g} is not 1 to {len(ACTIVITIES)}", files.where(file_name)
        )
    return rows.astype(np.int64)


def _read(
    files: Files, names: tuple[str, str], segments: np.ndarray, name: str, entry: IndexEntry
) -> list[RawRecording]:
    acc, gyro = (read_numbers(files, file_name, 3) for file_name in names)
    where = files.where(names[0])
    if len(acc) != len(gyro):
        raise EmlearnError(
            f"has {len(acc)} frames, the gyroscope's file {len(gyro)}", where, "unpack it again"
        )
    labels = np.full(len(acc), "unlabeled", dtype="U20")
    for activity, first, last in segments:
        if not 1 <= first <= last <= len(acc):
            raise EmlearnError(
                f"labels.txt names frames {first} to {last} of {len(acc)}", where, "unpack it again"
            )
        labels[first - 1 : last] = ACTIVITIES[activity - 1]
    channels = tuple(f"{sensor}_{axis}" for sensor in SENSORS for axis in AXES)
    values = np.concatenate([acc, np.degrees(gyro)], axis=1)
    return [from_columns(name, entry, channels, np.arange(len(acc)) / RATE_HZ, values, labels, where)]
