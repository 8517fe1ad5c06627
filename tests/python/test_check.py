# SPDX-License-Identifier: Apache-2.0
"""What `check` says of recordings, good and bad."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from emlearn_tools import units
from emlearn_tools.check import check
from emlearn_tools.cli import check as cli
from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import RawRecording, spans_of

N = 2000


def walk(seed: int = 0, n: int = N) -> np.ndarray:
    """Something like walking: (n, 6), g and dps, 50 Hz."""
    phase = np.arange(n) / 50 * 2 * np.pi * 1.8
    noise = np.random.default_rng(seed).normal(0, [0.02] * 3 + [2] * 3, (n, 6))
    wave = np.outer(np.sin(phase), [0.1, 0.05, 0.3, 40, 20, 60])
    return np.array([0, 0, 1, 0, 0, 0]) + wave + noise


def write(
    folder: Path,
    name: str,
    values: np.ndarray | None = None,
    labels=None,
    time_s: np.ndarray | None = None,
    subject: str | None = "p1",
) -> None:
    """Write a recording, two classes if not told otherwise, and its line of the index."""
    values = walk(sum(name.encode())) if values is None else values
    n = len(values)
    labels = ["walk" if i < n // 2 else "rest" for i in range(n)] if labels is None else labels
    time_s = np.arange(n) / 50 if time_s is None else time_s
    sensors = ("acc", "gyro")[: values.shape[1] // 3]
    header = ["time", *(f"{sensor}_{axis}" for sensor in sensors for axis in "xyz"), "label"]
    rows = [header]
    for seconds, row, label in zip(time_s, values, labels, strict=True):
        rows.append([f"{seconds:.3f}", *(f"{value:.5f}" for value in row), label])
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
    index = folder / "index.csv"
    if not index.exists():
        index.write_text("file,subject,recording\n")
    if subject is not None:
        with index.open("a") as file:
            file.write(f"{name}.csv,{subject},{name}\n")


@pytest.fixture
def good(tmp_path) -> Path:
    for subject in ("p1", "p2"):
        write(tmp_path / "data", f"{subject}_a", subject=subject)
    return tmp_path / "data"


def said(findings) -> str:
    return "\n".join(f"{finding.where}|{finding.what}|{finding.hint}" for finding in findings)


def test_good_recordings_raise_no_finding(good):
    report = check([good])
    assert said(report.errors) == "" and said(report.warnings) == ""
    a, b = report.recordings
    assert (a.name, a.subject, a.recording) == ("data/p1_a.csv", "p1", "p1_a")
    assert a.rate_hz == pytest.approx(50)
    assert (a.n_frames, a.n_gaps, a.n_lost, a.n_not_finite, a.n_clipped) == (N, 0, 0, 0, 0)
    assert a.duration_s == pytest.approx(40)
    assert a.unit == "g" and a.median_acc == pytest.approx(1, abs=0.02)
    assert a.labels == {"walk": 1000, "rest": 1000}
    assert report.seconds_by_label() == {
        "rest": {"p1": pytest.approx(20), "p2": pytest.approx(20)},
        "walk": {"p1": pytest.approx(20), "p2": pytest.approx(20)},
    }


def test_nan_is_an_error_that_names_the_first_line_and_counts_all(good):
    values = walk(9)
    values[[10, 11, 400], 2] = np.nan
    values[400, 4] = np.inf
    write(good, "bad", values, subject="p3")
    report = check([good])
    (finding,) = report.errors
    assert finding.what == "3 frames with NaN or infinity"
    assert finding.where == f"{good / 'bad.csv'}:12"
    assert len(report.recordings) == 3


@pytest.mark.parametrize(
    ("factor", "unit"), [(9.80665, "m/s2"), (1000, "mg"), (8192, "raw counts"), (2048, "raw counts")]
)
def test_another_unit_is_an_error_that_names_it(good, factor, unit):
    write(good, "bad", walk(9) * factor, subject="p3")
    (finding,) = check([good]).errors
    assert f"looks like {unit}" in finding.what
    assert finding.where == "data/bad.csv"


def test_acceleration_without_gravity_is_a_warning(good):
    values = walk(9)
    values[:, 2] -= 1
    write(good, "bad", values, subject="p3")
    report = check([good])
    assert not report.errors
    assert "data/bad.csv|median |acc| is 0.2" in said(report.warnings)
    assert "looks like g without gravity" in said(report.warnings)


def test_a_gyroscope_in_radians_is_a_warning(good):
    values = walk(9)
    values[:, 3:] /= 180 / np.pi
    write(good, "bad", values, subject="p3")
    assert "data/bad.csv|the gyroscope looks like rad/s" in said(check([good]).warnings)


def test_every_unreadable_file_is_an_error_of_its_own(good):
    (good / "broken.csv").write_text("time,acc_x,acc_y,acc_z\n0,0,0,1\n0.02,0,oops,1\n")
    (good / "empty.csv").write_text("")
    report = check([good])
    assert len(report.recordings) == 2
    where = [finding.where for finding in report.errors]
    assert where == [f"{good / 'broken.csv'}:3", str(good / "empty.csv")]


def test_gaps_are_counted_and_lost_time_is_told(good):
    time_s = np.arange(N) / 50
    time_s[500:] += 1.0
    time_s[900:] += 0.5
    write(good, "gappy", time_s=time_s, subject="p3")
    report = check([good])
    assert report.recordings[0].name == "data/gappy.csv"
    assert (report.recordings[0].n_gaps, report.recordings[0].n_lost) == (2, 75)
    assert "2 gaps in 1 of 3 recordings, 1.5 s lost" in said(report.warnings)
    assert not report.errors


def test_clipping_is_told_with_the_worst_recording(good):
    values = walk(9)
    values[:, 2] = np.clip(values[:, 2] * 2, -2, 2)
    write(good, "clipped", values, subject="p3")
    report = check([good])
    n_clipped = int((values[:, 2] >= 0.999 * 2).sum())
    assert n_clipped > 100
    assert report.recordings[0].n_clipped == n_clipped
    assert "clipped at full scale in 1 of 3 recordings, most in data/clipped.csv" in said(report.warnings)


def test_different_rates_and_channels_are_told(good):
    write(good, "slow", time_s=np.arange(N) / 40, subject="p3")
    write(good, "acc_only", walk(9)[:, :3], subject="p3")
    text = said(check([good]).warnings)
    assert "rates from 40 to 50 Hz" in text
    assert "not all recordings have the same channels" in text


def test_a_rate_that_contradicts_the_index_is_told(good):
    (good / "index.csv").write_text("file,subject,samplerate_hz\np1_a.csv,p1,50\np2_a.csv,p2,52\n")
    assert "data/p2_a.csv|time stamps give 50 Hz, index.csv says 52 Hz" in said(check([good]).warnings)


LABELS = [
    (["x"] * N, "one class only, x"),
    ([""] * N, "|no labels|"),
    (["a"] * 1900 + ["b"] * 100, "under 30 s of b (4 s)"),
    (["a"] * 1900 + ["b"] * 100, "a lasts 19 times as long as b"),
    (["Walk"] * 1000 + ["walk "] * 500 + ["WALK"] * 500, "differ in spelling only: WALK, Walk, walk"),
]


@pytest.mark.parametrize(("labels", "message"), LABELS)
def test_what_is_wrong_with_labels_is_told(tmp_path, labels, message):
    for subject in ("p1", "p2"):
        write(tmp_path / "data", subject, labels=labels, subject=subject)
    report = check([tmp_path / "data"])
    assert message in said(report.warnings)
    assert not report.errors


def test_a_recording_without_labels_and_a_class_of_one_person_are_told(good):
    write(good, "bare", labels=["unlabeled"] * N, subject="p3")
    write(good, "jump", labels=["jump"] * N, subject="p3")
    text = said(check([good]).warnings)
    assert "1 of 4 recordings have no labels, as data/bare.csv" in text
    assert "one subject only for jump" in text


def test_unknown_and_single_subjects_are_told(tmp_path):
    write(tmp_path / "data", "a", subject=None)
    write(tmp_path / "data", "b", subject=None)
    assert "the subject of 2 of 2 recordings is unknown" in said(check([tmp_path / "data"]).warnings)
    write(tmp_path / "data", "c", subject="p1")
    text = said(check([tmp_path / "data"]).warnings)
    assert "the subject of 2 of 3 recordings is unknown" in text
    assert "data/a.csv|is not in index.csv" in text
    write(tmp_path / "one", "a", subject="p1")
    write(tmp_path / "one", "b", subject="p1")
    assert "one subject only, p1" in said(check([tmp_path / "one"]).warnings)


def test_copies_and_short_recordings_are_told(good):
    write(good, "copy", walk(sum(b"p1_a")), subject="p3")
    write(good, "short", walk(7, 60), subject="p3")
    text = said(check([good]).warnings)
    assert "data/p1_a.csv|holds the same samples as data/copy.csv" in text
    assert "data/short.csv|lasts 1.2 s only" in text


def test_nothing_to_check_is_an_error(tmp_path):
    with pytest.raises(EmlearnError, match="no recordings found"):
        check([tmp_path])


def test_progress_counts_the_files(good):
    seen = []
    check([good], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


# Units


@pytest.mark.parametrize(
    ("median", "unit"),
    [
        (0.02, "g without gravity"),
        (0.98, "g"),
        (2.0, "g"),
        (3.0, "unknown"),
        (9.81, "m/s2"),
        (19.6, "m/s2"),
        (50.0, "unknown"),
        (256.0, "raw counts"),
        (1003.0, "mg"),
        (16384.0, "raw counts"),
    ],
)
def test_a_median_acceleration_tells_its_unit(median, unit):
    assert units.looks_like(median) == unit
    assert units.hint_for(unit)


def raw_of(values: np.ndarray, channels: tuple[str, ...]) -> RawRecording:
    spans = spans_of(np.full(len(values), "a"))
    return RawRecording("a", "", "", 50.0, channels, values, spans, (), Path("a"))


def test_units_are_not_judged_without_samples_to_judge():
    gyro = raw_of(walk()[:, 3:], ("gyro_x", "gyro_y", "gyro_z"))
    assert units.median_acc(gyro) is None
    assert not units.gyro_looks_like_rad(gyro)
    units.require_g(gyro)
    blank = raw_of(np.full((5, 3), np.nan), ("acc_x", "acc_y", "acc_z"))
    assert units.median_acc(blank) is None
    assert units.count_clipped(blank) == 0


def test_a_sensor_at_rest_is_neither_clipped_nor_in_radians():
    values = np.random.default_rng(1).normal([0, 0, 1, 0, 0, 0], [0.003] * 3 + [0.02] * 3, (500, 6))
    raw = raw_of(values, ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"))
    assert units.count_clipped(raw) == 0
    assert not units.gyro_looks_like_rad(raw)


def test_full_scale_held_on_either_side_is_clipping_and_a_single_peak_is_none():
    values = walk()[:, :3]
    values[100:110, 0] = -3.9999
    values[105:115, 1] = 4.0
    values[300, 2] = 8.0
    assert units.count_clipped(raw_of(values, ("acc_x", "acc_y", "acc_z"))) == 15


# Command line


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_parser(parser.add_subparsers(dest="command"))
    return cli.run(parser.parse_args(["check", *argv]))


def test_the_command_prints_a_table_and_fails_on_errors_only(good, capsys):
    assert run(str(good)) == 0
    out = capsys.readouterr().out
    assert "2 recordings, 2 known subjects, 0 errors, 0 warnings" in out
    assert "acc gyro" in out and "walk" in out and "50.0 %" in out
    (good / "broken.csv").write_text("")
    assert run(str(good)) == 1
    out = capsys.readouterr().out
    assert f"error: {good / 'broken.csv'}: is empty" in out
    assert "2 recordings, 2 known subjects, 1 errors, 1 warnings" in out
    (good / "p1_a.csv").unlink()
    (good / "p2_a.csv").unlink()
    assert run(str(good)) == 1
    assert "0 recordings" in capsys.readouterr().out


def test_a_long_list_of_findings_is_cut_and_says_so(good, capsys):
    for i in range(30):
        (good / f"[bold]broken{i:02d}.csv").write_text("")
    assert run(str(good)) == 1
    out = capsys.readouterr().out
    assert out.count("is empty") == 20
    assert "[bold]broken00.csv" in out
    assert "... and 10 more errors" in out


def test_json_holds_the_whole_report(good, capsys):
    (good / "broken.csv").write_text("")
    assert run(str(good), "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["format"] == 1 and report["ok"] is False
    assert report["errors"] == [
        {"what": "is empty", "where": str(good / "broken.csv"), "hint": "record again, or delete the file"}
    ]
    assert [item["name"] for item in report["recordings"]] == ["data/p1_a.csv", "data/p2_a.csv"]
    assert report["recordings"][0]["channels"][0] == "acc_x"
    assert report["seconds_by_label"]["walk"]["p1"] == pytest.approx(20)
    (good / "broken.csv").unlink()
    assert run(str(good), "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_without_rich_the_command_says_what_to_install(good, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(EmlearnError, match="the package rich is missing"):
        run(str(good))
    assert run(str(good), "--json") == 0


def test_files_that_an_index_lists_and_are_not_there_are_told(good):
    (good / "p1_a.csv").unlink()
    report = check([good])
    assert "p1_a.csv|1 files that index.csv lists are not there" in said(report.warnings)
    (good / "p2_a.csv").unlink()
    with pytest.raises(EmlearnError) as caught:
        check([good])
    assert caught.value.hint.startswith("fetch what index.csv lists") and "p1_a.csv" in caught.value.hint


@pytest.mark.filterwarnings("error")
def test_a_value_whose_square_is_infinite_is_no_reason_for_warnings_of_numpy(good):
    values = walk()
    values[7] = 1e300
    write(good, "huge", values, subject="p3")
    (summary,) = (item for item in check([good]).recordings if item.name.endswith("huge.csv"))
    assert summary.median_acc == pytest.approx(1, abs=0.3)
