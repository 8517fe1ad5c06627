# SPDX-License-Identifier: Apache-2.0
"""Design of the gravity filter: a Butterworth low-pass as fixed-point sections, as docs/features.md runs
them."""

from collections.abc import Sequence

from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import COEF_ONE, FRAMES_MAX, section_is_stable

ORDER_MAX = 4
"""Above this a section's peak gain would leave the room that the fixed point has."""

SETTLED = 0.01
"""The filter has settled when its step response stays this close to its final value."""

Section = tuple[int, int, int, int, int]


def design(rate_hz: float, cutoff_hz: float, order: int, where: object = "gravity") -> tuple[Section, ...]:
    """Sections (b0, b1, b2, a1, a2) in Q30 of a Butterworth low-pass, the gain at 0 Hz exactly 1.

    cutoff_hz: -3 dB point, above 0 and below rate_hz / 2. order: 1 to 4. Coefficients are rounded to
    nearest; b1 then takes up what is missing for b0 + b1 + b2 == 2^30 + a1 + a2, so a constant acceleration
    comes out exactly.
    Raises EmlearnError if a value is out of range or a section is not stable once rounded.
    """
    from scipy import signal

    if not 1 <= order <= ORDER_MAX:
        raise EmlearnError(f"order {order} is not 1 to {ORDER_MAX}", where)
    if not 0 < cutoff_hz < rate_hz / 2:
        raise EmlearnError(
            f"cutoff_hz {cutoff_hz:g} is not between 0 and half the rate ({rate_hz / 2:g})", where
        )
    sections = []
    for poles_and_zeros in signal.butter(order, cutoff_hz, fs=rate_hz, output="sos"):
        sections.append(_quantise(poles_and_zeros, where, cutoff_hz))
    return tuple(sections)


def warmup_frames(sections: Sequence[Section], where: object = "gravity") -> int:
    """Frames from a step at the input until the output stays within 1 % of it; 0 without sections.

    Raises EmlearnError above 65535 frames.
    """
    import numpy as np
    from scipy import signal

    if not sections:
        return 0
    sos = np.array([[b0, b1, b2, COEF_ONE, a1, a2] for b0, b1, b2, a1, a2 in sections]) / COEF_ONE
    step_response = signal.sosfilt(sos, np.ones(2 * FRAMES_MAX))
    outside = np.flatnonzero(np.abs(step_response - 1.0) > SETTLED)
    frames = int(outside[-1]) + 1 if outside.size else 0
    if frames > FRAMES_MAX:
        raise EmlearnError(
            "the gravity filter takes more than 65535 frames to settle", where, "a higher cutoff_hz"
        )
    return frames


def _quantise(section: Sequence[float], where: object, cutoff_hz: float) -> Section:
    """One row of second-order sections (b0 b1 b2 1 a1 a2), scaled to gain 1 at 0 Hz, in Q30.

    scipy puts the gain of the whole cascade into the first section; here every section carries its own, so
    that none of them amplifies or drowns the signal in rounding.
    """
    b0, b1, b2, _, a1, a2 = (float(value) for value in section)
    gain = (1.0 + a1 + a2) / (b0 + b1 + b2)
    q_a1, q_a2 = round(a1 * COEF_ONE), round(a2 * COEF_ONE)
    q_b0, q_b2 = round(b0 * gain * COEF_ONE), round(b2 * gain * COEF_ONE)
    q_b1 = COEF_ONE + q_a1 + q_a2 - q_b0 - q_b2
    result = (q_b0, q_b1, q_b2, q_a1, q_a2)
    if not section_is_stable(result) or COEF_ONE + q_a1 + q_a2 <= 0 or q_b0 <= 0:
        raise EmlearnError(
            f"cutoff_hz {cutoff_hz:g} is too low for this rate in fixed point", where, "a higher one"
        )
    return result
