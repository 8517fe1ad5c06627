# SPDX-License-Identifier: Apache-2.0
"""The gravity filter: its coefficients, its response, and how long it takes to settle."""

import re

import numpy as np
import pytest
from emlearn_tools import gravity, native
from emlearn_tools.errors import EmlearnError
from hypothesis import given
from hypothesis import strategies as st

ONE = 2**30


def cutoffs():
    """(rate in Hz, cutoff as a share of the rate, order) of filters that a spec may ask for."""
    return st.tuples(st.floats(5, 1000), st.floats(0.003, 0.45), st.integers(1, 4))


@given(cutoffs())
def test_the_gain_at_rest_is_exactly_one(case):
    rate_hz, share, order = case
    sections = gravity.design(rate_hz, share * rate_hz, order)
    assert len(sections) == (order + 1) // 2
    for b0, b1, b2, a1, a2 in sections:
        assert b0 + b1 + b2 == ONE + a1 + a2
        assert all(isinstance(value, int) and -(2**31) <= value < 2**31 for value in (b0, b1, b2, a1, a2))


@given(cutoffs())
def test_the_response_is_the_butterworth_response(case):
    """Against the closed form |H| = 1 / sqrt(1 + (tan(w/2) / tan(wc/2))^(2 n)), by the bilinear transform."""
    rate_hz, share, order = case
    sections = gravity.design(rate_hz, share * rate_hz, order)
    frequencies = np.linspace(0.001, 0.49, 200)
    z = np.exp(-2j * np.pi * frequencies)
    response = np.ones(len(z), complex)
    for b0, b1, b2, a1, a2 in sections:
        response *= (b0 + b1 * z + b2 * z**2) / (ONE + a1 * z + a2 * z**2)
    wanted = 1 / np.sqrt(1 + (np.tan(np.pi * frequencies) / np.tan(np.pi * share)) ** (2 * order))
    assert np.abs(np.abs(response) - wanted).max() < 2e-4


@given(cutoffs())
def test_no_frequency_is_amplified_beyond_the_room_of_a_section(case):
    rate_hz, share, order = case
    z = np.exp(-2j * np.pi * np.linspace(0, 0.5, 400))
    for b0, b1, b2, a1, a2 in gravity.design(rate_hz, share * rate_hz, order):
        assert np.abs((b0 + b1 * z + b2 * z**2) / (ONE + a1 * z + a2 * z**2)).max() <= 2


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_warmup_is_how_long_the_devices_step_response_stays_off(order):
    sections = gravity.design(50, 0.7, order)
    n = gravity.warmup_frames(sections)
    # A step of 20,000 counts: 1 % is 200. The device starts in the steady state of its first sample.
    response = native.filter_signal(sections, np.concatenate(([0], np.full(2000, 20000))).astype(np.int16))[
        1:
    ]
    off = np.flatnonzero(np.abs(response.astype(int) - 20000) > 200)
    assert off[-1] + 1 == n


def test_a_constant_comes_out_exactly():
    sections = gravity.design(104, 0.2, 4)
    for level in (-32768, -12345, -1, 0, 1, 777, 32767):
        assert (native.filter_signal(sections, np.full(3000, level, np.int16)) == level).all()


def test_without_a_filter_there_is_nothing_to_wait_for():
    assert gravity.warmup_frames(()) == 0


@pytest.mark.parametrize(
    ("rate_hz", "cutoff_hz", "order", "message"),
    [
        (50, 0, 2, "cutoff_hz 0 is not between"),
        (50, -1, 2, "cutoff_hz -1 is not between"),
        (50, 25, 2, "cutoff_hz 25 is not between"),
        (50, 1, 0, "order 0"),
        (50, 1, 5, "order 5"),
        (1000, 1e-4, 2, "too low for this rate in fixed point"),
        (1000, 0.05, 2, "too low for this rate in fixed point\n  try: 0.2 or more"),
    ],
)
def test_a_filter_out_of_range_is_refused(rate_hz, cutoff_hz, order, message):
    with pytest.raises(EmlearnError, match=re.escape(message)) as caught:
        gravity.design(rate_hz, cutoff_hz, order, "spec.yaml: gravity")
    assert caught.value.where == "spec.yaml: gravity"


def test_a_filter_that_never_settles_takes_all_the_frames_there_can_be():
    one_count = (1, 0, 0, 1 - ONE, 0)
    assert gravity.warmup_frames([one_count]) == 65535


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_lowest_cutoff_that_is_accepted_is_still_right(order):
    """Down to where design() refuses, the -3 dB point is where it was asked for."""
    cutoff = 50 / 5000
    z = np.exp(-2j * np.pi * cutoff / 50)
    response = np.prod(
        [
            (b0 + b1 * z + b2 * z**2) / (ONE + a1 * z + a2 * z**2)
            for b0, b1, b2, a1, a2 in gravity.design(50, cutoff, order)
        ]
    )
    assert abs(response) == pytest.approx(np.sqrt(0.5), abs=0.002)
