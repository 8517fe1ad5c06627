# SPDX-License-Identifier: Apache-2.0
"""The raw files of "WISDM Smartphone and Smartwatch Activity and Biometrics Dataset" (2019).

UCI Machine Learning Repository, data set 507, https://doi.org/10.24432/C5HK59. Mostly 20 Hz, phone and
watch apart.

    raw/phone/accel/data_1600_accel_phone.txt   subject, activity letter, time in ns, x, y, z in m/s2, then
    `;` raw/phone/gyro/data_1600_gyro_phone.txt     the same in rad/s; raw/watch/... likewise

A recording is one activity of one person and device: a run of lines of one letter in which time does not
fall; runs of one line are left out. The gyroscope has a clock of its own, so its values are interpolated to
the accelerometer's times. Frames without gyroscope values within 1.5 of its periods on both sides are left
out, which makes a gap in the time stamps; where that would cost over a tenth of the frames the recording is
without gyroscope.
"""

import re
from functools import partial

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders.files import Files, text_of
from emlearn_tools.loaders.source import Source
from emlearn_tools.loaders.table import IndexEntry, from_columns
from emlearn_tools.recording import RawRecording
from emlearn_tools.spec import AXES
from emlearn_tools.steps import SENSORS
from emlearn_tools.units import STANDARD_GRAVITY_M_S2

ACTIVITIES = {
    "A": "walking",
    "B": "jogging",
    "C": "stairs",
    "D": "sitting",
    "E": "standing",
    "F": "typing",
    "G": "teeth",
    "H": "soup",
    "I": "chips",
    "J": "pasta",
    "K": "drinking",
    "L": "sandwich",
    "M": "kicking",
    "O": "catch",
    "P": "dribbling",
    "Q": "writing",
    "R": "clapping",
    "S": "folding",
}
"""The letters and names of the archive's activity_key.txt; there is no N."""

NEAR_PERIODS = 1.5
MAX_LEFT_OUT = 0.1

_ACC = re.compile(
    r"(?P<folder>(?:.*/)?)(?P<device>phone|watch)/accel/data_(?P<subject>\d+)_accel_(?P=device)\.txt"
)
_LINE = np.dtype([("subject", "U16"), ("activity", "U8"), ("time_ns", np.int64), ("xyz", np.float64, 3)])


def sources(files: Files, prefix: str) -> list[Source]:
    """Return one source an accelerometer file; the gyroscope's file is read with it if it is there."""
    found = []
    for acc_name in files.names:
        match = _ACC.fullmatch(acc_name)
        if match:
            folder, device, subject = match["folder"], match["device"], match["subject"]
            gyro_name = f"{folder}{device}/gyro/data_{subject}_gyro_{device}.txt"
            names = (acc_name, gyro_name) if files.has(gyro_name) else (acc_name,)
            name = f"{prefix}/{folder}{device}/{subject}"
            reader = partial(_read, files, names, subject, name)
            found.append(Source(name, files.where(acc_name), reader, entry=IndexEntry(subject)))
    return found


def _read(files: Files, names: tuple[str, ...], subject: str, name: str) -> list[RawRecording]:
    runs = [_runs(_lines(files, file_name, subject)) for file_name in names]
    gyro_of: dict[str, list[np.ndarray]] = {}
    for gyro in runs[1] if len(runs) > 1 else []:
        gyro_of.setdefault(str(gyro["activity"][0]), []).append(gyro)
    recordings = []
    count: dict[str, int] = {}
    for acc in runs[0]:
        letter = str(acc["activity"][0])
        label = ACTIVITIES[letter]
        count[label] = count.get(label, 0) + 1
        part = label if count[label] == 1 else f"{label}_{count[label]}"
        time_ns, values = acc["time_ns"], acc["xyz"] / STANDARD_GRAVITY_M_S2
        for gyro in gyro_of.get(letter, []):
            rates, near = _interpolate(gyro, time_ns)
            if near.mean() >= 1 - MAX_LEFT_OUT and near.sum() > 1:
                time_ns = time_ns[near]
                values = np.concatenate([values, np.degrees(rates)], axis=1)[near]
                break
        channels = [f"{sensor}_{axis}" for sensor in SENSORS for axis in AXES][: values.shape[1]]
        recordings.append(
            from_columns(
                f"{name}/{part}",
                IndexEntry(subject, part),
                tuple(channels),
                (time_ns - time_ns[0]) / 1e9,
                np.ascontiguousarray(values),
                np.full(len(values), label),
                files.where(names[0]),
            )
        )
    return recordings


def _lines(files: Files, file_name: str, subject: str) -> np.ndarray:
    """Return the lines as a structured array; raises EmlearnError, with the line, for what is none."""
    text = text_of(files, file_name)
    where = files.where(file_name)
    lines = [(i, line.strip().rstrip(";, ")) for i, line in enumerate(text.splitlines(), start=1)]
    lines = [(i, line) for i, line in lines if line]
    if not lines:
        raise EmlearnError("is empty", where, "unpack the archive again")
    try:
        table = np.loadtxt([line for _, line in lines], delimiter=",", comments=None, dtype=_LINE, ndmin=1)
    except ValueError:
        number = next((i for i, line in lines if not _is_line(line)), 1)
        raise EmlearnError(
            "is not `subject,activity,time,x,y,z;`", f"{where}:{number}", "unpack it again"
        ) from None
    known = np.isin(table["activity"], list(ACTIVITIES)) & (table["subject"] == subject)
    if not known.all():
        row = int(np.argmin(known))
        letter, person = str(table["activity"][row]), str(table["subject"][row])
        what = f"activity {letter!r} of subject {person!r}"
        hint = f"the file is of subject {subject}, activities A to S without N"
        raise EmlearnError(what, f"{where}:{lines[row][0]}", hint)
    return table


def _is_line(line: str) -> bool:
    fields = line.split(",")
    try:
        int(fields[2])
        numbers = [float(field) for field in fields[3:]]
    except (IndexError, ValueError):
        return False
    return len(numbers) == 3


def _runs(table: np.ndarray) -> list[np.ndarray]:
    """Return the runs of one activity in which time does not fall, of two lines and more."""
    cut = (table["activity"][1:] != table["activity"][:-1]) | (np.diff(table["time_ns"]) < 0)
    return [run for run in np.split(table, np.flatnonzero(cut) + 1) if len(run) > 1]


def _interpolate(gyro: np.ndarray, time_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return gyroscope values at `time_ns`, (n, 3), and (n,) bool, whether values are near on both sides."""
    own = gyro["time_ns"]
    period = np.median(np.diff(own))
    after = np.searchsorted(own, time_ns)
    before = np.clip(np.searchsorted(own, time_ns, side="right") - 1, 0, None)
    inside = (time_ns >= own[0]) & (time_ns <= own[-1])
    after = np.minimum(after, len(own) - 1)
    near = inside & (np.maximum(time_ns - own[before], own[after] - time_ns) <= NEAR_PERIODS * period)
    seconds = (own - own[0]) / 1e9
    at = (time_ns - own[0]) / 1e9
    return np.stack([np.interp(at, seconds, axis) for axis in gyro["xyz"].T], axis=1), near
