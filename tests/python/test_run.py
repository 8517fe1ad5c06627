# SPDX-License-Identifier: Apache-2.0
"""tests/run.py: nothing that failed or was skipped goes unseen."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

spec = importlib.util.spec_from_file_location("emlearn_run", Path(__file__).resolve().parents[1] / "run.py")
runner = importlib.util.module_from_spec(spec)
sys.modules["emlearn_run"] = runner
spec.loader.exec_module(runner)


def stages(monkeypatch, **outcomes):
    """Replace the stages by ready outcomes, or by an exception to raise."""

    def stage(outcome):
        def run(_):
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return run

    monkeypatch.setattr(runner, "STAGES", {name: stage(outcome) for name, outcome in outcomes.items()})


def test_the_closing_line_adds_the_stages_up_and_skips_stand_before_it(monkeypatch, capsys):
    stages(
        monkeypatch,
        one=runner.Outcome(passed=3, skipped=["slow: not\n  today"]),
        two=runner.Outcome(passed=4),
    )
    assert runner.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["skipped: slow: not today", "7 passed, 0 failed, 1 skipped"]


def test_what_was_only_built_is_named_and_counts_as_passed(monkeypatch, capsys):
    stages(monkeypatch, one=runner.Outcome(passed=2, only_built=["sample on board"], skipped=["x: y"]))
    assert runner.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == ["only built: sample on board", "skipped: x: y", "2 passed, 0 failed, 1 skipped"]


@pytest.mark.parametrize("soak", [False, True])
def test_the_zephyr_tier_is_counted(monkeypatch, soak):
    result = SimpleNamespace(executed=["a", "b"], built=["e"], failed=["f"], skipped=["c: d"])
    asked = []
    tier = SimpleNamespace(run=lambda folder, n_jobs, *, soak: asked.append(soak) or result)
    monkeypatch.setitem(sys.modules, "zephyr_tier", tier)
    outcome = runner.zephyr(SimpleNamespace(soak=soak))
    assert asked == [soak]
    assert (outcome.passed, outcome.failed, outcome.skipped) == (3, ["f"], ["c: d"])
    assert outcome.only_built == ["e"]


def test_a_failure_is_named_and_sets_the_exit_code(monkeypatch, capsys):
    stages(monkeypatch, one=runner.Outcome(passed=1, failed=["a test"]), two=runner.Outcome(passed=2))
    assert runner.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["failed: a test", "3 passed, 1 failed, 0 skipped"]


def test_a_stage_that_breaks_is_a_failure_and_the_others_still_run(monkeypatch, capsys):
    stages(monkeypatch, one=RuntimeError("boom"), two=runner.Outcome(passed=2))
    assert runner.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["failed: one: RuntimeError: boom", "2 passed, 1 failed, 0 skipped"]


def test_only_runs_the_stages_asked_for(monkeypatch, capsys):
    stages(monkeypatch, one=RuntimeError("boom"), two=runner.Outcome(passed=2))
    assert runner.main(["--only", "two"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"
    with pytest.raises(SystemExit):
        runner.main(["--only", "three"])


def test_junit_counts_errors_as_failures_and_keeps_reasons(tmp_path):
    (tmp_path / "junit.xml").write_text(
        """<?xml version="1.0"?><testsuites><testsuite>
        <testcase classname="a" name="good"/>
        <testcase classname="a" name="bad"><failure message="x"/></testcase>
        <testcase classname="a" name="worse"><error message="x"/></testcase>
        <testcase classname="a" name="left"><skipped message="no clang"/></testcase>
        </testsuite></testsuites>"""
    )
    outcome = runner.read_junit(tmp_path / "junit.xml")
    assert (outcome.passed, outcome.skipped) == (1, ["a.left: no clang"])
    assert outcome.failed == ["a.bad", "a.worse"]


def test_cases_of_one_test_that_were_skipped_for_one_reason_are_one_line():
    lines = ["a.t[x]: no clang", "a.t[y]: no clang", "a.t[z]: slow", "b: no clang", "c[1: 2]: why"]
    assert runner.grouped(lines) == ["a.t[2 cases]: no clang", *lines[2:]]


def test_a_command_that_does_not_exist_is_a_failure(capfd):
    assert runner.run(["no-such-program-anywhere"]) == 127
