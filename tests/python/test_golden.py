# SPDX-License-Identifier: Apache-2.0
"""golden: the self-test of a model is what the oracle computes from docs/format.md."""

from dataclasses import replace

import oracle
import pytest
from emlearn_tools import golden, native
from emlearn_tools.model import Forest, Tree
from model_cases import FOREST, LOW_PASS, SPEC

SPECS = {
    "six channels": SPEC,
    "hop over window": replace(SPEC, hop_len=70),
    "one frame": replace(SPEC, window_len=1, hop_len=1),
    "gravity": replace(SPEC, gravity=LOW_PASS, features=("gravity_x.mean", "motion_x.std", "gyro_mag.q25")),
    "gyro alone": replace(
        SPEC, sensors=("gyro",), acc_step=None, features=("gyro_x.mean", "gyro_y.max", "gyro_z.rms")
    ),
}


@pytest.mark.parametrize("case", SPECS)
@pytest.mark.parametrize("n_windows", [1, 8, 20])
def test_expected_windows_are_those_of_the_oracle(case, n_windows):
    spec = SPECS[case]
    result = golden.make(spec, FOREST, n_windows)
    n_frames = spec.window_len + (n_windows - 1) * spec.hop_len
    samples = native.golden_signal(result.seed, n_frames, len(spec.channels))
    windows = oracle.run(spec, samples, vote=lambda values: oracle.forest_votes(FOREST, values))
    assert len(result.windows) == n_windows
    assert [tuple(window) for window in result.windows] == [
        (oracle.golden_hash(w.features), w.window_class, w.class_idx) for w in windows
    ]


def test_the_seed_is_the_first_whose_windows_differ_in_class():
    threshold = 12000
    forest = Forest(3, 2, "hard", (Tree(0, (0,), (threshold,), (~0,), (~1,)),), ((0,), (1,)))
    result = golden.make(SPEC, forest)
    assert {window.window_class for window in result.windows} == {0, 1}
    for seed in range(1, result.seed):
        samples = native.golden_signal(seed, SPEC.window_len + 7 * SPEC.hop_len, 6)
        means = native.run(SPEC, samples).features[:, 0]
        assert len(set(means > threshold)) == 1
    assert result.seed > 1


def test_a_model_that_knows_one_class_gets_the_first_seed():
    forest = Forest(3, 2, "soft", (Tree(~0, (), (), (), ()),), ((0, 255),))
    result = golden.make(SPEC, forest)
    assert result.seed == 1 and len(result.windows) == 8
    assert {window[1:] for window in result.windows} == {(1, 1)}
