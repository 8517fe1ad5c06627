# SPDX-License-Identifier: Apache-2.0
"""Rate and gaps of a recording, from its time stamps."""

import numpy as np

from emlearn_tools.errors import EmlearnError

BLOCK_FRAMES = 16
"""Steps over which the first estimate of the period averages, so that quantised and bursty stamps do no
harm."""

GAP_PERIODS = 1.5
"""A step over this many periods may be a gap."""

CATCH_UP_FRAMES = 8
"""Frames after a long step that show whether frames are missing or came late only."""

CATCH_UP_PERIODS = 0.5
"""A step under this many periods is a frame that catches up."""

MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 20000.0
"""Rates outside of this mean that `time` is not in seconds."""


def measure(time_s: np.ndarray, where: str = "") -> tuple[float, tuple[tuple[int, int], ...]]:
    """Return the rate in Hz and the gaps as (frame, n_lost): n_lost frames are missing before that frame.

    time_s: (n,) float64, seconds, n >= 2, finite, not falling; equal neighbours are allowed (arrival times).

    The first period is the median of the mean period over blocks of 16 steps. The rate is then that of all
    steps outside of gaps, (n - 1 - n_gaps) / (t_end - t_start - gaps), so time stamps rounded to
    milliseconds average out.

    A step over 1.5 periods is a gap with n_lost = round(step / period) - 1, at least 1, unless its frame
    only came late and the next ones catch up, as in phones that deliver in bursts: what steps under 0.5
    periods among the next 8 frames make good is not missing, and if no more than 0.5 periods are left there
    is no gap.

    Raises EmlearnError for fewer than 2 frames, time that falls or stands still, and rates that no IMU has.
    """
    n = len(time_s)
    if n < 2:
        raise EmlearnError(
            f"{n} frame{'s' * (n != 1)}, too short to have a rate", where, "record at least one window"
        )
    steps = np.diff(time_s)
    falling = np.flatnonzero(steps < 0)
    if len(falling):
        frame = int(falling[0]) + 1
        raise EmlearnError(
            f"time goes back from {time_s[frame - 1]:.6g} s to {time_s[frame]:.6g} s at frame {frame}",
            where,
            "one file holds one recording; split it where time starts again",
        )
    block = min(BLOCK_FRAMES, n - 1)
    period = float(np.median(time_s[block:] - time_s[:-block])) / block
    if period <= 0:
        period = float(time_s[-1] - time_s[0]) / (n - 1)
    _require_plausible(period, where)
    gaps = _gaps(time_s, steps, period)
    at = [frame - 1 for frame, _ in gaps]
    if len(at) < n - 1:
        period = float(time_s[-1] - time_s[0] - steps[at].sum()) / (n - 1 - len(at))
        _require_plausible(period, where)
        gaps = _gaps(time_s, steps, period)
    return 1.0 / period, gaps


def _require_plausible(period_s: float, where: str) -> None:
    if period_s <= 0:
        raise EmlearnError("time does not advance", where, "the column `time` holds seconds from the start")
    rate_hz = 1.0 / period_s
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise EmlearnError(
            f"the time stamps give {rate_hz:.4g} Hz",
            where,
            "`time` is in seconds; divide milliseconds by 1000",
        )


def _gaps(time_s: np.ndarray, steps: np.ndarray, period_s: float) -> tuple[tuple[int, int], ...]:
    late = (time_s - time_s[0]) / period_s - np.arange(len(time_s))
    gaps = []
    for step in np.flatnonzero(steps > GAP_PERIODS * period_s):
        frame = int(step) + 1
        early = np.flatnonzero(steps[frame : frame + CATCH_UP_FRAMES] < CATCH_UP_PERIODS * period_s)
        settled = frame + int(early[-1]) + 1 if len(early) else frame
        lost = float(late[frame : settled + 1].min() - late[frame - 1])
        if lost > GAP_PERIODS - 1:
            gaps.append((frame, max(1, round(lost))))
    return tuple(gaps)
