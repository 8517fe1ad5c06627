# SPDX-License-Identifier: Apache-2.0
"""Real recordings: the library equals the oracle for any chunk length.

Runs where EMLEARN_DATA names a folder that holds the hapt recordings in the common CSV form (docs/format.md).
"""

import csv
import os
from pathlib import Path

import numpy as np
import oracle
import pytest
import strategies as own
from emlearn_tools import native
from emlearn_tools.trees_layout import layout
from test_core_exact import as_windows

N_WINDOWS = 1000
ACC_STEP, GYRO_STEP = 2 / 32768, 250 / 32768  # g and degrees per second a count
WINDOW_LEN, HOP_LEN = 128, 50


def read(path: Path) -> np.ndarray:
    """(n, 6) int16 of one recording, quantised as docs/format.md says."""
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        columns = [f"{sensor}_{axis}" for sensor in ("acc", "gyro") for axis in "xyz"]
        values = np.array([[float(row[column]) for column in columns] for row in rows])
    steps = np.array([ACC_STEP] * 3 + [GYRO_STEP] * 3)
    return np.clip(np.floor(values / steps + 0.5), -32768, 32767).astype(np.int16)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """Frames of as many recordings as N_WINDOWS windows need, one after the other."""
    if not os.environ.get("EMLEARN_DATA"):
        pytest.skip("EMLEARN_DATA is not set: no real recordings")
    paths = sorted(Path(os.environ["EMLEARN_DATA"]).rglob("hapt_u*_e*.csv"))
    if not paths:
        pytest.skip("no hapt_u*_e*.csv under EMLEARN_DATA")
    needed = WINDOW_LEN + (N_WINDOWS - 1) * HOP_LEN
    parts, n_frames = [], 0
    # From the last: other people than those whom tests of training read first.
    for path in reversed(paths):
        parts.append(read(path))
        n_frames += len(parts[-1])
        if n_frames >= needed:
            return np.concatenate(parts)[:needed]
    pytest.skip(f"only {n_frames} frames of hapt under EMLEARN_DATA, {needed} are needed")


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
