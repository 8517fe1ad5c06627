# SPDX-License-Identifier: Apache-2.0
"""evaluate: scores, and windows left out, are those of an independent count."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import oracle
import pytest
from emlearn_tools import artifact, dataset, native
from emlearn_tools.cli import main
from emlearn_tools.errors import EmlearnError
from emlearn_tools.evaluate import decide, evaluate, summary
from emlearn_tools.recording import Gap, labels_of, quantise
from emlearn_tools.spec import LabelRules, RecordingRules
from emlearn_tools.trees_layout import layout
from recording_cases import FOREST, MODEL, SPEC, raw, with_join, write_csv

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def noise(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, n)


RECORDINGS = (
    raw("a", noise(1, 61), ["low"] * 20 + ["up"] * 12 + ["upper"] * 9 + ["shake"] * 10 + ["low"] * 10, "p1"),
    raw("b", noise(2, 50), ["high"] * 17 + [""] * 8 + ["low"] * 25, "p2", [Gap(9, 1), Gap(30, 12)]),
    raw("c", noise(3, 30), ["unlabeled"] * 3 + ["shake"] * 3 + ["high"] * 12 + ["low"] * 12, "p2"),
    raw("d", noise(4, 3), ["low"] * 3, "p3"),
    raw("e", [0.9] * 8, ["low"] * 8, "p0"),
)


def expected_label(labels: list[str], join: str) -> str:
    """Class of a window by docs/format.md and the spec's rules, or the reason why it has none in brackets."""
    names = ["high" if label in ("up", "upper") else label for label in labels]
    known = [name for name in names if name in ("low", "high")]
    nobody = sum(name in ("", "unlabeled") for name in names)
    if not known:
        return "(unlabeled)" if nobody >= sum(name == "shake" for name in names) else "(dropped label)"
    if join == "pure":
        return known[0] if len(set(names)) == 1 else "(straddling)"
    most = max(Counter(names).values())
    winner = next(name for name in reversed(names) if names.count(name) == most)
    if winner in ("", "unlabeled"):
        return "(unlabeled)"
    return winner if winner in ("low", "high") else "(dropped label)"


def expected(join: str, warmup_frames: int = 0):
    """Per recording, for every window: label, class before and after smoothing, warming; by the oracle."""
    spec = replace(SPEC, warmup_frames=warmup_frames)
    result = []
    for recording in RECORDINGS:
        counts = np.floor(recording.values * 1000 + 0.5).astype(np.int16)
        windows = oracle.run(
            spec, counts, recording.gaps, vote=lambda values: oracle.forest_votes(FOREST, values)
        )
        labels = labels_of(recording.spans).tolist()
        result.append(
            [
                (expected_label(labels[w.end - 3 : w.end + 1], join), w.window_class, w.class_idx, w.warming)
                for w in windows
            ]
        )
    return result


@pytest.mark.parametrize("join", ["pure", "majority"])
@pytest.mark.parametrize("warmup_frames", [0, 7])
def test_the_report_is_that_of_an_independent_count(join, warmup_frames):
    model = with_join(join)
    model = replace(model, spec=replace(SPEC, warmup_frames=warmup_frames))
    steps = []
    report = evaluate(model, RECORDINGS, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(i, 5) for i in range(1, 6)]

    by_recording = zip(RECORDINGS, expected(join, warmup_frames), strict=True)
    windows = [(recording, *window) for recording, rows in by_recording for window in rows]
    used = [w for w in windows if not w[1].startswith("(")]
    reasons = Counter(w[1].strip("()") for w in windows if w[1].startswith("("))
    assert report["windows"]["used"] == len(used) > 30
    assert report["windows"]["warming"] == sum(w[4] for w in used)
    assert bool(report["windows"]["warming"]) == bool(warmup_frames)
    # b: without gaps 24 windows; pieces of 9, 21 and 20 frames give 3 + 9 + 9.
    assert report["windows"]["dropped"] == {
        "straddling": 0, "dropped label": 0, "unlabeled": 0, **reasons, "lost frames": 3, "too short": 1,
    }  # fmt: skip
    if join == "pure":
        assert all(report["windows"]["dropped"].values())

    truth = [("low", "high").index(w[1]) for w in used]
    for scores, column in ((report, 2), (report["smoothed"], 3)):
        predicted = [w[column] for w in used]
        assert scores["confusion"] == sklearn_metrics.confusion_matrix(truth, predicted).tolist()
        assert scores["macro_f1"] == pytest.approx(
            sklearn_metrics.f1_score(truth, predicted, average="macro")
        )
        assert scores["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(truth, predicted))
        by_class = sklearn_metrics.precision_recall_fscore_support(truth, predicted)
        for i, row in enumerate(scores["per_class"]):
            assert row["name"] == ("low", "high")[i]
            figures = [row[name] for name in ("precision", "recall", "f1", "support")]
            assert figures == pytest.approx([values[i] for values in by_class])
    assert report["confusion"] != report["smoothed"]["confusion"]

    subjects = sorted({w[0].subject for w in used})
    assert [row["name"] for row in report["per_subject"]] == subjects == ["p0", "p1", "p2"]
    for row in report["per_subject"]:
        mine = [i for i, w in enumerate(used) if w[0].subject == row["name"]]
        y = [truth[i] for i in mine]
        present = sorted(set(y))
        for prefix, column in (("", 2), ("smoothed_", 3)):
            p = [used[i][column] for i in mine]
            f1 = sklearn_metrics.f1_score(y, p, labels=present, average="macro", zero_division=0)
            assert row[f"{prefix}macro_f1"] == pytest.approx(f1)
            assert row[f"{prefix}accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(y, p))
        assert row["windows"] == len(mine)


def test_what_the_data_was_is_in_the_report():
    report = evaluate(MODEL, [*RECORDINGS, raw("x", [40.0] * 8, ["low"] * 8, "")])
    assert report["model"] == {"name": "tilt", "digest": MODEL.digest}
    assert report["classes"] == ["low", "high"]
    assert report["data"] == {
        "recordings": 6,
        "subjects": 4,
        "minutes": pytest.approx((61 + 50 + 30 + 3 + 8 + 8) / 600),
        "clipped_frames": 8,
    }
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert summary(report).startswith(f"macro-F1 {report['macro_f1']:.3f}")


@pytest.mark.parametrize("chunk", [1, 2, 7, 32, None])
def test_decisions_are_the_same_for_any_chunk(chunk):
    trees = layout(FOREST)
    for recording in RECORDINGS:
        seen = quantise(recording, SPEC)
        whole, pieces = decide(MODEL, trees, seen), decide(MODEL, trees, seen, chunk)
        assert all(np.array_equal(a, b) for a, b in zip(whole.windows, pieces.windows, strict=True))
        assert np.array_equal(whole.truth, pieces.truth)


def test_recordings_are_chosen_by_name():
    both = evaluate(MODEL, RECORDINGS, RecordingRules(include=("a", "b*")))
    assert both["data"]["recordings"] == 2
    assert evaluate(MODEL, RECORDINGS, RecordingRules(exclude=("[b-e]",)))["data"]["recordings"] == 1
    with pytest.raises(EmlearnError, match="no recording matches"):
        evaluate(MODEL, RECORDINGS, RecordingRules(include=("z*",)))


def test_short_holes_are_bridged_where_asked(tmp_path, capsys):
    gappy = raw("gappy", [0.0] * 40, ["low"] * 40, gaps=(Gap(20, 3),))  # 0.3 s at 10 Hz
    strict = evaluate(MODEL, [gappy])["windows"]
    bridged = evaluate(MODEL, [gappy], RecordingRules(bridge_s=0.3))["windows"]
    assert strict["dropped"]["lost frames"] > 0 == bridged["dropped"]["lost frames"]
    assert bridged["used"] == strict["used"] + strict["dropped"]["lost frames"]
    assert evaluate(MODEL, [gappy], RecordingRules(bridge_s=0.2))["windows"] == strict
    assert main(["evaluate", "model.json", "--data", str(tmp_path), "--bridge", "5"]) == 1
    assert "--bridge: 5 s is not 0 to 1" in capsys.readouterr().err


def test_scores_on_the_training_recordings_come_with_a_warning():
    seen = [quantise(recording, SPEC) for recording in RECORDINGS]
    trained = replace(MODEL, provenance={"data_sha256": dataset.data_hash(seen)})
    assert any("was trained on" in warning for warning in evaluate(trained, RECORDINGS)["warnings"])
    assert evaluate(trained, RECORDINGS[:3])["warnings"] == []


def test_classes_that_do_not_occur_come_with_a_warning():
    report = evaluate(MODEL, [raw("a", noise(1, 40), ["low"] * 40)])
    assert report["warnings"] == ["no window is high: macro-F1 is over the other classes"]
    assert report["macro_f1"] == report["per_class"][0]["f1"]


def test_labels_that_the_model_does_not_know_come_with_a_warning():
    recordings = [
        raw("a", noise(1, 60), ["low"] * 20 + ["high"] * 20 + ["jump", "shake", "", "unlabeled"] * 5)
    ]
    assert evaluate(MODEL, recordings)["warnings"] == [
        "the model does not know the labels jump: their windows are left out"
    ]
    keeps = replace(MODEL, labels=LabelRules(keep=("low", "high")))
    assert evaluate(keeps, recordings)["warnings"] == []


def test_no_window_of_any_class_is_one_clear_error():
    with pytest.raises(
        EmlearnError, match=r"no window has one of the model's classes \(windows dropped: too short: 1"
    ):
        evaluate(MODEL, [raw("a", [0.0] * 3, ["low"] * 3)])
    with pytest.raises(EmlearnError, match="unlabeled: 4") as caught:
        evaluate(MODEL, [raw("a", [0.0] * 10, [""] * 10)])
    assert "low, high" in caught.value.hint


def test_a_recording_of_another_rate_is_one_clear_error():
    with pytest.raises(EmlearnError, match="runs at 11 Hz"):
        evaluate(MODEL, [replace(RECORDINGS[0], rate_hz=11.0)])


def test_a_missing_sensor_is_one_clear_error():
    from fractions import Fraction

    both = replace(MODEL, spec=replace(SPEC, sensors=("acc", "gyro"), gyro_step=Fraction(1, 100)))
    with pytest.raises(EmlearnError, match="has no gyro_x"):
        evaluate(both, RECORDINGS)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for recording in RECORDINGS:
        write_csv(recording, tmp_path / "data")
    artifact.save(MODEL, tmp_path / "tilt.json")
    return tmp_path


def test_the_command_prints_tables_and_writes_the_report(folder, capsys):
    path = folder / "out" / "scores.json"
    argv = ["evaluate", str(folder / "tilt.json"), "--data", str(folder / "data"), "--json", str(path)]
    assert main(argv) == 0
    report, direct = json.loads(path.read_text()), evaluate(MODEL, RECORDINGS)
    assert all(report[key] == direct[key] for key in ("macro_f1", "confusion", "per_class", "smoothed"))
    assert report["windows"] == direct["windows"]
    out = capsys.readouterr().out
    assert f"model tilt ({MODEL.digest[:8]})" in out
    assert "5 recordings, 4 subjects" in out and summary(report) in out
    for row in report["per_subject"]:
        assert f"{row['smoothed_accuracy']:.3f}" in out
    for row in report["confusion"]:
        assert all(str(n) in out for n in row)
    for line in out.splitlines():
        assert len(line) <= 110


def test_warnings_are_printed(folder, capsys):
    argv = ["evaluate", str(folder / "tilt.json"), "--data", str(folder / "data"), "--include", "e.csv"]
    assert main(argv) == 0
    assert "warning: no window is high" in capsys.readouterr().out


def test_several_folders_are_read(folder, capsys):
    (folder / "more").mkdir()
    write_csv(raw("f", [0.9] * 20, ["high"] * 20, "p9"), folder / "more")
    argv = [
        "evaluate",
        str(folder / "tilt.json"),
        "--data",
        str(folder / "data"),
        "--data",
        str(folder / "more"),
    ]
    assert main(argv) == 0
    assert "6 recordings, 5 subjects" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_one_clear_error(folder, capsys):
    argv = [
        "evaluate",
        str(folder / "tilt.json"),
        "--data",
        str(folder / "data"),
        "--json",
        str(folder / "data"),
    ]
    assert main(argv) == 1
    assert "not an ordinary file" in capsys.readouterr().err


def test_no_compiler_is_one_clear_error(folder, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    native.library.cache_clear()
    native.feature_codes.cache_clear()
    try:
        assert main(["evaluate", str(folder / "tilt.json"), "--data", str(folder / "data")]) == 1
    finally:
        native.library.cache_clear()
        native.feature_codes.cache_clear()
    assert "no C compiler" in capsys.readouterr().err


def test_help_has_an_example_and_a_wrong_command_line_exits_with_2(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--help"])
    assert caught.value.code == 0
    assert "west emlearn evaluate model/har.json --data recordings/" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "model.json"])
    assert caught.value.code == 2
