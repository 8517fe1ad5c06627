# SPDX-License-Identifier: Apache-2.0
"""Design of the gravity filter: a Butterworth low-pass as fixed-point sections (docs/features.md)."""

from collections.abc import Sequence

from emlearn_tools.errors import EmlearnError
from emlearn_tools.packages import need
from emlearn_tools.spec import COEF_ONE, FRAMES_MAX, section_is_stable

ORDER_MAX = 4
"""Above this a section's peak gain would leave the room that the fixed point has."""

SETTLED = 0.01
"""The filter has settled when its step response stays this close to its final value."""

PRECISION = 1 << 10
"""Least value of 1 + a1 + a2 in Q30: below, rounding the coefficients would move the cutoff."""

Section = tuple[int, int, int, int, int]


def design(rate_hz: float, cutoff_hz: float, order: int, where: object = "gravity") -> tuple[Section, ...]:
    """Sections (b0, b1, b2, a1, a2) in Q30 of a Butterworth low-pass, the gain at 0 Hz exactly 1.

    cutoff_hz: -3 dB point, above about rate_hz / 6000 and below rate_hz / 2. order: 1 to 4. Every section
    has its own pair of poles, zeros at half the rate, and gain 1 at 0 Hz: coefficients are rounded to
    nearest, and b1 then takes up what is missing for b0 + b1 + b2 == 2^30 + a1 + a2, so a constant
    acceleration comes out exactly. Sections stand in order of rising resonance.
    Raises EmlearnError if a value is out of range or a section is not stable once rounded.
    """
    if not 1 <= order <= ORDER_MAX:
        raise EmlearnError(f"order {order} is not 1 to {ORDER_MAX}", where)
    if not 0 < cutoff_hz < rate_hz / 2:
        half = f"{rate_hz / 2:g}"
        raise EmlearnError(f"cutoff_hz {cutoff_hz:g} is not between 0 and half the rate ({half})", where)
    signal = need("scipy.signal", "designing a filter", where)
    _, poles, _ = signal.butter(order, cutoff_hz, fs=rate_hz, output="zpk")
    upper = sorted((pole for pole in poles if pole.imag > -1e-12), key=lambda pole: pole.imag)
    sections = tuple(_quantise(complex(pole), single=pole.imag < 1e-12) for pole in upper)
    if any(
        COEF_ONE + a1 + a2 < PRECISION or not section_is_stable(s) for s in sections for a1, a2 in [s[3:]]
    ):
        raise EmlearnError(
            f"cutoff_hz {cutoff_hz:g} is too low for this rate in fixed point",
            where,
            f"{rate_hz / 5000:.2g} or more",
        )
    return sections


def warmup_frames(sections: Sequence[Section]) -> int:
    """Frames from a step at the input until the output stays within 1 % of it.

    0 without sections; 65535 for a filter that takes longer.
    """
    import numpy as np

    if not sections:
        return 0
    signal = need("scipy.signal", "designing a filter")
    sos = np.array([[b0, b1, b2, COEF_ONE, a1, a2] for b0, b1, b2, a1, a2 in sections]) / COEF_ONE
    step_response = signal.sosfilt(sos, np.ones(FRAMES_MAX))
    outside = np.flatnonzero(np.abs(step_response - 1.0) > SETTLED)
    return int(outside[-1]) + 1 if outside.size else 0


def _quantise(pole: complex, single: bool) -> Section:
    """The section of a pole and its conjugate, or of a single real pole, in Q30."""
    a1 = round((-pole.real if single else -2 * pole.real) * COEF_ONE)
    a2 = 0 if single else round(abs(pole) ** 2 * COEF_ONE)
    gain = COEF_ONE + a1 + a2
    b0 = gain // (2 if single else 4)
    b2 = 0 if single else b0
    return (b0, gain - b0 - b2, b2, a1, a2)
