# SPDX-License-Identifier: Apache-2.0
"""Which unit an acceleration is in, judged by gravity: a body on earth feels 1 g most of the time."""

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import RawRecording

STANDARD_GRAVITY_M_S2 = 9.80665

IN_G = (0.6, 2.2)
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
    magnitude = _length(raw.values[:, columns])
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


ACC_FULL_SCALES_G = (2.0, 4.0, 8.0, 16.0)
GYRO_FULL_SCALES_DPS = (125.0, 250.0, 500.0, 1000.0, 2000.0)


def count_clipped(raw: RawRecording) -> int:
    """Count frames with a value held at full scale: at the extreme of its channel and side (within 0.1 %),
    where that is within 2 % of a usual full scale and four frames or more share it.
    """
    clipped = np.zeros(len(raw.values), dtype=bool)
    for name, column in zip(raw.channels, raw.values.T, strict=True):
        full_scales = ACC_FULL_SCALES_G if name.startswith("acc_") else GYRO_FULL_SCALES_DPS
        for side in (column, -column):
            extreme = np.max(side, initial=0.0, where=np.isfinite(side))
            if any(abs(extreme / full_scale - 1) <= 0.02 for full_scale in full_scales):
                held = side >= 0.999 * extreme
                if held.sum() >= 4:
                    clipped |= held
    return int(clipped.sum())


def gyro_looks_like_rad(raw: RawRecording) -> bool:
    """Whether the angular rate is far too small for the acceleration: people turn by 400 dps and more for
    each g of standard deviation of |acc|, so under 60 the unit is probably rad/s. Never for a sensor at
    rest.
    """
    acc, gyro = (
        raw.values[:, [i for i, name in enumerate(raw.channels) if name.startswith(sensor)]]
        for sensor in ("acc_", "gyro_")
    )
    finite = np.isfinite(raw.values).all(axis=1) & np.isfinite(_length(acc))
    if not acc.shape[1] or not gyro.shape[1] or not finite.any():
        return False
    spread_g = float(_length(acc[finite]).std())
    return 0.05 < spread_g and float(np.percentile(np.abs(gyro[finite]).max(axis=1), 99)) < 60 * spread_g


def _length(vectors: np.ndarray) -> np.ndarray:
    """Length of each row of (n, 3); infinity where the square of a value is."""
    with np.errstate(over="ignore"):
        return np.sqrt((vectors**2).sum(axis=1))
