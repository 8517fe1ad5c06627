# SPDX-License-Identifier: Apache-2.0
"""Rate and gaps of a recording, from its time stamps."""

import numpy as np

from emlearn_tools.errors import EmlearnError

BLOCK_FRAMES = 16
"""Steps over which the first estimate of the period averages where single steps say nothing."""

EVEN_SHARE = 0.8
"""Single steps do say something if so many of them lie within a half of their median."""

GAP_PERIODS = 1.5
"""A step over this many periods may be a gap."""

CATCH_UP_FRAMES = 8
"""Frames after a long step that show whether frames are missing or came late only."""

CATCH_UP_PERIODS = 0.5
"""A step under this many periods is a frame that catches up."""

LOST_MAX = 2**32 - 1
"""Frames that a gap may have lost, as many as the device can count: beyond that somebody set the clock."""

MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 20000.0
"""Rates outside of this mean that `time` is not in seconds."""


def measure(time_s: np.ndarray, where: str = "") -> tuple[float, tuple[tuple[int, int], ...]]:
    """Return the rate in Hz and the gaps as (frame, n_lost): n_lost frames are missing before that frame.

    time_s: (n,) float64, seconds, not falling; equal neighbours are allowed (arrival times).

    The first period is the median step, or where stamps come in bursts the median over blocks of 16 steps.
    The rate is then that of all steps outside of gaps, n / (t_end - t_start - gaps), so time stamps rounded
    to milliseconds average out.

    A step over 1.5 periods is a gap with n_lost = round(step / period) - 1, at least 1, unless its frame
    only came late and the next ones catch up, as in phones that deliver in bursts: what steps under 0.5
    periods among the next 8 frames make good is not missing, and if no more than 0.5 periods are left there
    is no gap.

    Raises EmlearnError for fewer than 2 frames, time that is not finite, falls, jumps or stands still, and
    rates that no IMU has.
    """
    n = len(time_s)
    if n < 2:
        raise EmlearnError(
            f"{n} frame{'s' * (n != 1)}, too short to have a rate", where, "record at least one window"
        )
    if not np.isfinite(time_s).all():
        raise EmlearnError(f"time is not a finite number at frame {np.argmin(np.isfinite(time_s))}", where)
    steps = np.diff(time_s)
    falling = np.flatnonzero(steps < 0)
    if len(falling):
        frame = int(falling[0]) + 1
        raise EmlearnError(
            f"time goes back from {time_s[frame - 1]:.6g} s to {time_s[frame]:.6g} s at frame {frame}",
            where,
            "one file holds one recording; split it where time starts again",
        )
    period = _first_period(time_s, steps)
    _require_plausible(period, where)
    gaps = _gaps(time_s, steps, period, where)
    outside = np.ones(n - 1, dtype=bool)
    for frame, settled, _ in gaps:
        outside[frame - 1 : settled] = False
    if steps[outside].sum() > 0:
        period = float(steps[outside].mean())
        _require_plausible(period, where)
        gaps = _gaps(time_s, steps, period, where)
    return 1.0 / period, tuple((frame, n_lost) for frame, _, n_lost in gaps)


def _first_period(time_s: np.ndarray, steps: np.ndarray) -> float:
    median = float(np.median(steps))
    even = np.abs(steps - median) <= 0.5 * median
    if median > 0 and even.mean() >= EVEN_SHARE:
        return median
    block = min(BLOCK_FRAMES, len(steps))
    in_blocks = float(np.median(time_s[block:] - time_s[:-block])) / block
    return in_blocks if in_blocks > 0 else float(time_s[-1] - time_s[0]) / len(steps)


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


def _gaps(
    time_s: np.ndarray, steps: np.ndarray, period_s: float, where: str = ""
) -> list[tuple[int, int, int]]:
    """Return (frame, settled, n_lost): n_lost are missing before `frame`, and `settled` is on time again."""
    late = (time_s - time_s[0]) / period_s - np.arange(len(time_s))
    gaps = []
    for step in np.flatnonzero(steps > GAP_PERIODS * period_s):
        frame = int(step) + 1
        early = np.flatnonzero(steps[frame : frame + CATCH_UP_FRAMES] < CATCH_UP_PERIODS * period_s)
        last = frame + int(early[-1]) + 1 if len(early) else frame
        settled = frame + int(np.argmin(late[frame : last + 1]))
        lost = float(late[settled] - late[frame - 1])
        if lost > LOST_MAX:
            raise EmlearnError(
                f"time jumps by {steps[step]:.4g} s at frame {frame}",
                where,
                "one file holds one recording; split it where the clock was set",
            )
        if lost > GAP_PERIODS - 1:
            gaps.append((frame, settled, max(1, round(lost))))
    return gaps
