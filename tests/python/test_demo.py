# SPDX-License-Identifier: Apache-2.0
"""The demonstration: every step is there, and none can go wrong unseen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from emlearn_tools import demo, firmware, native, self_test, synth, zephyr_tree
from emlearn_tools.cli import main
from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import load_spec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A run without firmware: its result, what it said, and its folder."""
    folder = tmp_path_factory.mktemp("demo")
    said: list[str] = []
    result = demo.run(folder, n_jobs=1, use_firmware=False, say=said.append)
    return result, said, folder


def test_every_step_leaves_its_file(shown):
    result, _, folder = shown
    assert {"model.json", "report.json", "report.html", "generated", "self_test"} <= {
        path.name for path in folder.iterdir()
    }
    assert result.report == folder / "report.html"
    assert sorted(path.name for path in (folder / "generated").iterdir()) == ["har.c", "har.h"]


def test_nobody_held_out_is_in_training(shown):
    result, _, folder = shown
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert result.held_out == "p08"
    assert result.held_out not in report["data"]["per_group"]
    assert len(report["data"]["per_group"]) == 7


def test_the_scores_are_those_of_the_confusion(shown):
    result, _, _ = shown
    confusion = result.scores["confusion"]
    n = sum(map(sum, confusion))
    right = sum(confusion[i][i] for i in range(len(confusion)))
    assert 100 < n <= result.n_decisions
    assert result.scores["accuracy"] == pytest.approx(right / n)
    assert result.scores["macro_f1"] > 0.8


def test_it_says_what_decided(shown):
    result, said, _ = shown
    assert result.device == "the C library on this machine"
    assert not result.on_firmware
    assert "self-test of the generated C on this machine: passed" in said


def test_the_size_table_has_the_model(shown):
    result, _, _ = shown
    rows = {line.split("  ")[0].strip() for line in result.sizes.splitlines()}
    assert {"model", "features", "trees", "buffers", "emlearn in all"} <= rows


def test_the_command_line_prints_confusion_scores_sizes_and_report(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path), "--no-firmware", "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    for part in ("true / predicted", "macro-F1", "emlearn in all", f"report: {tmp_path / 'report.html'}"):
        assert part in out, part


def test_own_recordings_and_another_person(tmp_path, capsys):
    synth.write(synth.make(subjects=6, minutes=2.0, seed=5), tmp_path / "data")
    arguments = ["demo", "--data", str(tmp_path / "data"), "-o", str(tmp_path / "out"), "--no-firmware"]
    assert main([*arguments, "--jobs", "1", "--hold-out", "p02"]) == 0
    assert "confusion on p02" in capsys.readouterr().out


def test_an_unknown_person_is_one_clear_error(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "out"), "--no-firmware", "--hold-out", "p99"]) == 1
    assert "there is no subject p99" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_one_person_alone_cannot_be_held_out():
    spec = load_spec(demo.default_spec())
    alone = [raw for raw in synth.make(subjects=2, minutes=1.0) if raw.subject == "p01"]
    with pytest.raises(EmlearnError, match="the only subject"):
        demo.split(alone, spec, None)


DECISION = native.Decision(
    t_us=1000, class_idx=1, window_class_idx=2, votes=300, n_votes=500, n_lost=0, warming=False
)


def test_decisions_may_differ_in_time_alone():
    demo.require_equal([[DECISION]], [[DECISION._replace(t_us=5)]], "board")


@pytest.mark.parametrize(
    "other", [{"class_idx": 0}, {"window_class_idx": 0}, {"votes": 301}, {"n_lost": 1}, {"warming": True}]
)
def test_any_other_difference_is_an_error(other):
    with pytest.raises(EmlearnError, match="decision 1 is"):
        demo.require_equal([[DECISION, DECISION]], [[DECISION, DECISION._replace(**other)]], "board")


def test_a_missing_decision_is_an_error():
    with pytest.raises(EmlearnError, match="1 decisions, the host has 2"):
        demo.require_equal([[DECISION]], [[DECISION, DECISION]], "board")


def test_a_self_test_that_fails_is_an_error(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(self_test, "passes", lambda program: False)
    with pytest.raises(EmlearnError, match="does not compute what training did"):
        demo.run(tmp_path, n_jobs=1, use_firmware=False, say=lambda line: None)


def test_the_self_test_notices_a_changed_model(shown, tmp_path):
    _, _, folder = shown
    source = (folder / "generated" / "har.c").read_text(encoding="utf-8")
    header = (folder / "generated" / "har.h").read_text(encoding="utf-8")
    (tmp_path / "har.h").write_text(header)
    (tmp_path / "har.c").write_text(source)
    assert self_test.passes(self_test.build(tmp_path, "har", tmp_path))
    start = source.index("emlearn_golden_window")
    first = source.index("0x", start)
    digit = "1" if source[first + 2] != "1" else "2"
    (tmp_path / "har.c").write_text(source[: first + 2] + digit + source[first + 3 :])
    assert not self_test.passes(self_test.build(tmp_path, "har", tmp_path))


def test_c_that_does_not_compile_is_an_error_with_the_compilers_words(shown, tmp_path):
    _, _, folder = shown
    (tmp_path / "har.h").write_text((folder / "generated" / "har.h").read_text(encoding="utf-8"))
    (tmp_path / "har.c").write_text("int broken(void) { return")
    with pytest.raises(EmlearnError, match="does not compile"):
        self_test.build(tmp_path, "har", tmp_path)


# Firmware, without Zephyr: a script in its place.


def program(folder: Path, text: str, code: int = 0) -> Path:
    """A program that prints `text` and ends with `code`."""
    path = folder / "zephyr.exe"
    (folder / "text").write_text(text)
    path.write_text(f"#!/bin/sh\ncat '{folder / 'text'}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_decision_lines_are_read_and_all_else_is_passed_over(tmp_path):
    lines = [native.wire_encode(DECISION, 0x1234, "walking"), native.wire_encode(DECISION, 0x1234, "resting")]
    text = "*** Booting Zephyr ***\n" + "\n".join(lines) + "\nreplay: 10 frames\n"
    assert firmware.replay(program(tmp_path, text), tmp_path / "a.csv") == [DECISION, DECISION]


def test_a_damaged_decision_line_is_an_error(tmp_path):
    line = native.wire_encode(DECISION, 0x1234, "walking").replace("walking", "wolking")
    with pytest.raises(EmlearnError, match="not an intact decision line"):
        firmware.replay(program(tmp_path, line + "\n"), tmp_path / "a.csv")


def test_firmware_that_stops_with_an_error_is_an_error(tmp_path):
    with pytest.raises(EmlearnError, match="exit code 3: .*stopped: -84"):
        firmware.replay(program(tmp_path, "stopped: -84\n", 3), tmp_path / "a.csv")


def test_firmware_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(EmlearnError, match="did not run"):
        firmware.replay(tmp_path / "zephyr.exe", tmp_path / "a.csv")


def test_the_path_decides_which_tools_are_missing(tmp_path):
    assert firmware.missing_tools({"PATH": str(tmp_path)}) == ["cmake", "ninja", "gcc"]


def fake_tree(tmp_path: Path, monkeypatch, cmake: str) -> zephyr_tree.Tree:
    """A machine with a Zephyr tree and these words for cmake."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in (("cmake", cmake), ("ninja", "exit 0"), ("gcc", "exit 0")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return zephyr_tree.Tree(tmp_path, (4, 3, 0), "test")


def test_a_build_that_fails_shows_its_last_lines_and_keeps_the_log(tmp_path, monkeypatch):
    tree = fake_tree(tmp_path, monkeypatch, "echo no such board; exit 1")
    with pytest.raises(EmlearnError, match="no such board"):
        firmware.build(tree, tmp_path / "model.json", tmp_path / "build")
    assert "no such board" in (tmp_path / "build" / "build.log").read_text(encoding="utf-8")


def test_the_build_gets_the_model_the_module_and_the_tree(tmp_path, monkeypatch):
    tree = fake_tree(tmp_path, monkeypatch, 'echo "$@" "$ZEPHYR_BASE" "$ZEPHYR_TOOLCHAIN_VARIANT"')
    built = firmware.build(tree, tmp_path / "model.json", tmp_path / "build")
    log = (tmp_path / "build" / "build.log").read_text(encoding="utf-8")
    assert built == tmp_path / "build" / "zephyr" / "zephyr.exe"
    for part in (
        f"-DEMLEARN_MODEL_HAR={tmp_path / 'model.json'}",
        f"-DZEPHYR_MODULES={ROOT}",
        f"{tmp_path} host",
    ):
        assert part in log, part


def test_a_build_that_fails_falls_back_to_the_host_and_says_so(tmp_path, monkeypatch):
    tree = fake_tree(tmp_path, monkeypatch, "echo no such board; exit 1")
    monkeypatch.setattr(zephyr_tree, "find", lambda start: tree)
    said: list[str] = []
    result = demo.run(tmp_path / "out", n_jobs=1, say=said.append)
    assert not result.on_firmware
    assert [line for line in said if line.startswith("no firmware:") and "no such board" in line]


def test_without_a_tree_it_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setattr(zephyr_tree, "find", lambda start: None)
    said: list[str] = []
    demo.run(tmp_path, n_jobs=1, say=said.append)
    assert [line for line in said if line.startswith("no firmware: no Zephyr tree found")]


def test_firmware_that_decides_otherwise_ends_the_demonstration(tmp_path, monkeypatch):
    text = native.wire_encode(DECISION, 1, "x") + "\n"
    monkeypatch.setattr(demo, "_build", lambda folder, say: program(tmp_path, text))
    with pytest.raises(EmlearnError, match="the host has"):
        demo.run(tmp_path / "out", n_jobs=1, say=lambda line: None)


def test_it_runs_as_a_module(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts" / "west_commands")}
    command = [sys.executable, "-m", "emlearn_tools", "demo", "--help"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "west emlearn demo -o build/demo" in done.stdout


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "run", None)
    (tmp_path / "file").write_text("")
    assert main(["demo", "-o", str(tmp_path / "file" / "out")]) == 1
    assert "model.json: cannot write it" in capsys.readouterr().err
