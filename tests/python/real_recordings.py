# SPDX-License-Identifier: Apache-2.0
"""Real frames for tests of exactness: hapt recordings in the common CSV form, where EMLEARN_DATA has them."""

import csv
import os
from pathlib import Path

import numpy as np

ACC_STEP, GYRO_STEP = 2 / 32768, 250 / 32768  # g and degrees per second a count
CHANNELS = tuple(f"{sensor}_{axis}" for sensor in ("acc", "gyro") for axis in "xyz")


class NoRecordings(Exception):
    """There are no real recordings, or too few; says why."""


def read(path: Path) -> np.ndarray:
    """(n, 6) int16 of one recording, quantised as docs/format.md says."""
    with path.open(newline="") as file:
        values = np.array([[float(row[channel]) for channel in CHANNELS] for row in csv.DictReader(file)])
    steps = np.array([ACC_STEP] * 3 + [GYRO_STEP] * 3)
    return np.clip(np.floor(values / steps + 0.5), -32768, 32767).astype(np.int16)


def frames(n_frames: int) -> np.ndarray:
    """That many frames, (n_frames, 6) int16, of one recording after the other. Raises NoRecordings."""
    if not os.environ.get("EMLEARN_DATA"):
        raise NoRecordings("EMLEARN_DATA is not set: no real recordings")
    parts: list[np.ndarray] = []
    n_read = 0
    for path in sorted(Path(os.environ["EMLEARN_DATA"]).rglob("hapt_u*_e*.csv")):
        parts.append(read(path))
        n_read += len(parts[-1])
        if n_read >= n_frames:
            return np.concatenate(parts)[:n_frames]
    raise NoRecordings(f"{n_read} frames of hapt_u*_e*.csv under EMLEARN_DATA, {n_frames} are needed")
