# SPDX-License-Identifier: Apache-2.0
"""Whether a fixed-point cascade keeps to the range of the C code's integers, whatever comes in.

Standard library only. The largest output that any input can cause is the largest input times the sum of the
absolute impulse response (the l1 norm; see any text on bounded-input bounded-output stability).
"""

import cmath
import math
from collections.abc import Sequence

COEF_ONE = 1 << 30
INPUT_MAX = 1 << 29
"""An int16 sample with the 14 fraction bits of src/core/filter.c."""

INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
DECAY = 2.0**-24
"""Where a response counts as over."""

RESPONSE_FRAMES_MAX = 1 << 17


def fits(sections: Sequence[Sequence[int]]) -> bool:
    """Whether no section's output can leave int32 and no sum of products int64.

    sections: stable (b0, b1, b2, a1, a2) in Q30. False as well for responses of over 2^17 frames.
    """
    response = [1.0]
    largest = float(INPUT_MAX)
    for section in sections:
        b0, b1, b2, a1, a2 = (value / COEF_ONE for value in section)
        n_frames = len(response) + _decay_frames(a1, a2)
        if n_frames > RESPONSE_FRAMES_MAX:
            return False
        response = _filter(response, n_frames, b0, b1, b2, a1, a2)
        out = INPUT_MAX * sum(map(abs, response)) + 1
        products = (abs(b0) + abs(b1) + abs(b2)) * largest + (abs(a1) + abs(a2)) * out + 1
        if out > INT32_MAX or products * COEF_ONE > INT64_MAX:
            return False
        largest = out
    return True


def _decay_frames(a1: float, a2: float) -> int:
    """Frames until a pair of poles has decayed, twice over because equal poles decay more slowly."""
    root = cmath.sqrt(a1 * a1 / 4 - a2)
    radius = max(abs(-a1 / 2 + root), abs(-a1 / 2 - root))
    if radius >= 1.0:
        return RESPONSE_FRAMES_MAX
    return 2 * math.ceil(math.log(DECAY) / math.log(radius)) if radius > DECAY else 2


def _filter(
    signal: Sequence[float], n_frames: int, b0: float, b1: float, b2: float, a1: float, a2: float
) -> list[float]:
    """The first n_frames of a section's output."""
    out = []
    x1 = x2 = y1 = y2 = 0.0
    for i in range(n_frames):
        x = signal[i] if i < len(signal) else 0.0
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x1, x2, y1, y2 = x, x1, y, y1
        out.append(y)
    return out
