# SPDX-License-Identifier: Apache-2.0
"""At least 95 % of the lines of src/core run in the C unit tests, and the measurement can fail."""

import sys

import pytest
from conftest import ROOT
from core_build import TESTS

sys.path.insert(0, str(ROOT / "tests"))

import coverage_core  # noqa: E402


@pytest.fixture(autouse=True)
def _gcov():
    if coverage_core.missing():
        pytest.skip(coverage_core.missing())


def test_the_unit_tests_cover_the_core(tmp_path):
    files = coverage_core.measure(tmp_path)
    assert {f"{path.stem}.c" for path in coverage_core.core_sources()} <= {file.name for file in files}
    report = "\n".join(f"{file.name}: lines {list(file.missed)} never ran" for file in files if file.missed)
    assert coverage_core.percent(files) >= coverage_core.MINIMUM_PERCENT, report


def test_a_part_of_the_unit_tests_does_not_cover_the_core(tmp_path):
    files = coverage_core.measure(tmp_path, [TESTS / "test_q.c", TESTS / "test_trees.c"])
    assert coverage_core.percent(files) < 50
    by_name = {file.name: file for file in files}
    assert not by_name["trees.c"].missed
    assert len(by_name["wire.c"].missed) == by_name["wire.c"].n_lines > 0
