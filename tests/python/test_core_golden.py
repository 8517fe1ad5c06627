# SPDX-License-Identifier: Apache-2.0
"""The golden signal and its hash in C equal the oracle's, which follow docs/format.md."""

import numpy as np
import oracle
import pytest
import strategies as own
from emlearn_tools import native
from hypothesis import given, settings
from hypothesis import strategies as st

SEEDS = (0, 1, 2, 0x9E3779B9, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_channels", range(1, 7))
def test_the_signal_of_a_seed_is_exact(seed, n_channels):
    expected = oracle.golden_signal(seed, 700, n_channels)
    assert (native.golden_signal(seed, 700, n_channels) == expected).all()


@settings(max_examples=60 * own.SOAK, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_signal_of_any_seed_is_exact(seed):
    assert (native.golden_signal(seed, 300, 6) == oracle.golden_signal(seed, 300, 6)).all()


def test_the_signal_is_lively_in_every_channel_and_not_the_same_for_two_seeds():
    signals = np.stack([oracle.golden_signal(seed, 2000, 6) for seed in range(5)])
    assert (signals.std(axis=1) > 300).all()
    assert len({signal.tobytes() for signal in signals}) == 5


def test_the_hash_is_fnv_1a_over_little_endian_pairs():
    assert oracle.golden_hash([]) == 0x811C9DC5
    assert oracle.golden_hash([0x6261]) == 0x4D2505CA  # published for "ab"
    assert oracle.golden_hash([0x6F66, 0x626F, 0x7261]) == 0xBF9CF968  # published for "foobar"


@settings(max_examples=100 * own.SOAK, deadline=None)
@given(st.lists(own.int16, max_size=50))
def test_the_hash_is_exact(values):
    assert native.golden_hash(np.array(values, dtype=np.int16)) == oracle.golden_hash(values)
