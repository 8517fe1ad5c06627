# SPDX-License-Identifier: Apache-2.0
"""Real recordings: the library equals the oracle for any chunk length.

Runs where EMLEARN_DATA names a folder that holds the hapt recordings in the common CSV form (docs/format.md).
"""

import subprocess
import sys

import core_build
import numpy as np
import oracle
import pytest
import real_recordings
import strategies as own
from emlearn_tools import native
from emlearn_tools.trees_layout import layout
from test_core_exact import as_windows

N_WINDOWS = 1000
WINDOW_LEN, HOP_LEN = 128, 50


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """As many frames as N_WINDOWS windows need, (n, 6) int16."""
    try:
        return real_recordings.frames(WINDOW_LEN + (N_WINDOWS - 1) * HOP_LEN)
    except real_recordings.NoRecordings as reason:
        pytest.skip(str(reason))


def test_a_thousand_real_windows_are_exact_for_any_chunk_length(samples):
    names = oracle.FEATURE_NAMES
    gravity = (own.butterworth(0.006),)
    spec = own.make_spec(("acc", "gyro"), WINDOW_LEN, HOP_LEN, gravity, 100, names, smooth=(5, 2, 50))
    rows = native.run(spec, samples[: 40 * HOP_LEN]).features
    thresholds = [int(value) for value in np.unique(rows)]
    forest = own.random_forest(7, len(names), 6, n_trees=10, depth=7, vote="soft", values=thresholds)
    expected = oracle.run(spec, samples, (), lambda values: oracle.forest_votes(forest, values))
    assert len(expected) == N_WINDOWS
    assert len({window.window_class for window in expected}) > 1
    assert any(window.class_idx != window.window_class for window in expected)
    for chunk in (1, 7, 32, None):
        assert as_windows(native.run(spec, samples, layout=layout(forest), chunk=chunk)) == expected


def test_no_feature_is_constant_over_real_windows(samples):
    spec = own.make_spec(("acc", "gyro"), WINDOW_LEN, HOP_LEN, (own.butterworth(0.006),))
    features = native.run(spec, samples).features
    constant = [
        name for name, column in zip(spec.features, features.T, strict=True) if len(np.unique(column)) == 1
    ]
    assert not constant


@pytest.mark.parametrize("flags", ((), ("-m32",)), ids=("64-bit", "32-bit"))
def test_the_c_program_for_targets_agrees_on_real_windows(samples, flags, tmp_path):
    toolchain = core_build.Toolchain("gcc", "gcc", ("-O1", *flags))
    if toolchain.missing():
        pytest.skip(toolchain.missing())
    cases = tmp_path / "cases"
    cases.mkdir()
    subprocess.run([sys.executable, core_build.VECTORS / "generate.py", "--real", "-o", cases], check=True)
    assert "#define VECTORS_N_WINDOWS 1000\n" in (cases / "vectors_cases.h").read_text()
    core = toolchain.core(tmp_path)
    program = toolchain.program(core_build.TESTS / "test_vectors.c", core, tmp_path, cases)
    assert "all_at_once" in core_build.run([program], tmp_path)
