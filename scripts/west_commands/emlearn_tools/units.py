# SPDX-License-Identifier: Apache-2.0
"""Which unit an acceleration is in, judged by gravity: a body on earth feels 1 g most of the time."""

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import RawRecording

STANDARD_GRAVITY_M_S2 = 9.80665

IN_G = (0.6, 1.9)
"""Median |acc| of a recording in g, from gentle movement to running."""

MAX_MEDIAN_G = 4.0
"""Above this the unit is certainly another."""

MIN_MEDIAN_G = 0.3
"""Below this gravity has been removed."""


def median_acc(raw: RawRecording) -> float | None:
    """Median of |acc| over the finite frames, in the file's unit; None without an accelerometer or such
    frames."""
    columns = [i for i, name in enumerate(raw.channels) if name.startswith("acc_")]
    if not columns:
        return None
    magnitude = np.sqrt((raw.values[:, columns] ** 2).sum(axis=1))
    magnitude = magnitude[np.isfinite(magnitude)]
    return float(np.median(magnitude)) if len(magnitude) else None


def looks_like(median: float) -> str:
    """Name the unit that a median |acc| suggests: "g", "m/s2", "mg", "raw counts", "g without gravity",
    "unknown"."""
    if IN_G[0] <= median <= IN_G[1]:
        return "g"
    if median < MIN_MEDIAN_G:
        return "g without gravity"
    if IN_G[0] <= median / STANDARD_GRAVITY_M_S2 <= IN_G[1]:
        return "m/s2"
    if IN_G[0] <= median / 1000 <= 1.5:
        return "mg"
    if median > 1500 or 100 < median < 600:
        return "raw counts"
    return "unknown"


def hint_for(unit: str) -> str:
    """What to do about an acceleration in `unit`."""
    return {
        "m/s2": f"divide the acceleration by {STANDARD_GRAVITY_M_S2}",
        "mg": "divide the acceleration by 1000",
        "raw counts": "multiply the acceleration by the chip's step in g, as in full scale / 32768",
        "g without gravity": "record the acceleration with gravity; the device's chip measures it too",
    }.get(unit, "give the acceleration in g, gravity included")


def require_g(raw: RawRecording) -> None:
    """Raise EmlearnError if the acceleration is certainly not in g."""
    median = median_acc(raw)
    if median is not None and median > MAX_MEDIAN_G:
        unit = looks_like(median)
        looks = f", which looks like {unit}" if unit != "unknown" else ""
        raise EmlearnError(f"median |acc| is {median:.4g}, not near 1 g{looks}", raw.source, hint_for(unit))
