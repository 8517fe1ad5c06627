# SPDX-License-Identifier: Apache-2.0
"""The bound on a filter's signals, against the true worst input and scipy's filter."""

import dataclasses

import numpy as np
import pytest
from emlearn_tools import filter_range, gravity, native
from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import PipelineSpec
from model_cases import SPEC
from scipy import signal

ONE = 1 << 30


@pytest.mark.parametrize("rate_hz", [20, 50, 104, 833])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_every_design_fits(rate_hz, order):
    for cutoff_hz in (0.3, 1.0, rate_hz / 4):
        assert filter_range.fits(gravity.design(rate_hz, cutoff_hz, order))


@pytest.mark.parametrize(
    "section",
    [
        (4 * ONE - 1 - ONE * 2, 0, 0, 0, 0),  # gain 2 is the most that an int32 coefficient holds
        (ONE // 4, ONE // 2, ONE // 4, -round(1.9 * ONE), round(0.99 * ONE)),  # resonance
        (ONE, ONE, ONE, -round(0.5 * ONE), 0),  # gain 6 at 0 Hz
    ],
)
def test_the_bound_is_the_gain_for_the_worst_input(section):
    b, a = np.array(section[:3]) / ONE, np.array([ONE, *section[3:]]) / ONE
    response = signal.lfilter(b, a, np.eye(1, 5000)[0])
    worst_gain = np.abs(response).sum()
    assert filter_range.fits([section]) == (worst_gain * 2**29 < 2**31 - 1)


def test_a_gain_just_below_four_passes_and_the_c_code_agrees_with_scipy_at_the_worst_input():
    section = (ONE, ONE, round(0.9 * ONE), -round(0.25 * ONE), 0)
    b, a = np.array(section[:3]) / ONE, np.array([ONE, *section[3:]]) / ONE
    assert filter_range.fits([section])
    worst = np.full(200, 8000, np.int16)
    expected = signal.lfilter(b, a, worst.astype(float))
    got = native.filter_signal([section], worst)
    assert np.abs(got[100:] - expected[100:]).max() <= 1


def test_cascades_are_judged_as_a_whole():
    double = (2 * ONE - 1, 0, 0, 0, 0)
    assert filter_range.fits([double])
    assert not filter_range.fits([double, double, double])


def test_products_beyond_64_bits_are_refused():
    # Sections that cancel each other: outputs stay small, but the sum of products would not.
    section = (2**31 - 1, -(2**31), 2**31 - 1, round(1.9 * ONE), round(0.95 * ONE))
    assert not filter_range.fits([section])


def test_a_response_that_takes_for_ever_is_refused_without_computing_it(monkeypatch):
    slow = (1, 0, 0, -(2 * ONE - 3), ONE - 1)
    monkeypatch.setattr(filter_range, "_filter", lambda *_: pytest.fail("computed"))
    assert not filter_range.fits([slow])


def test_a_model_with_a_filter_out_of_range_is_refused():
    wild = dataclasses.replace(SPEC, gravity=((2 * ONE - 1, 2 * ONE - 1, 0, -ONE, ONE // 2),))
    with pytest.raises(EmlearnError, match="range"):
        PipelineSpec.from_json(wild.to_json(), "model.json")
