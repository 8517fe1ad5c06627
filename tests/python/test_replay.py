# SPDX-License-Identifier: Apache-2.0
"""replay: decision lines are those of the oracle, and turning a device is a rotation."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import oracle
import pytest
from emlearn_tools import artifact, native
from emlearn_tools.cli import main
from emlearn_tools.evaluate import decide
from emlearn_tools.recording import Gap, Recording, quantise
from emlearn_tools.replay import lines, mounts, rotate, score, turn
from emlearn_tools.trees_layout import layout
from recording_cases import FOREST, MODEL, SPEC, raw, write_csv

X_G = np.random.default_rng(5).uniform(0, 1, 60)
LABELS = ["low"] * 20 + ["upper"] * 20 + ["shake"] * 8 + [""] * 12
RECORDING = raw("walk", X_G, LABELS, gaps=[Gap(15, 3), Gap(29, 1), Gap(31, 5)])


def decided(model=MODEL, recording=RECORDING):
    return decide(model, layout(model.forest), quantise(recording, model.spec))


@pytest.mark.parametrize("rate_hz", [Fraction(10), Fraction("9.999")])
def test_lines_are_those_of_the_oracle(rate_hz):
    model = replace(MODEL, classes=("lo;w", "high"), spec=replace(SPEC, rate_hz=rate_hz, warmup_frames=3))
    counts = np.floor(RECORDING.values * 1000 + 0.5).astype(np.int16)
    windows = oracle.run(
        model.spec, counts, RECORDING.gaps, vote=lambda values: oracle.forest_votes(FOREST, values)
    )
    period_ns = 100_000_000 if rate_hz == 10 else 100_010_001
    found = list(lines(model, decided(model)))
    assert len(found) == len(windows) > 10
    for line, window in zip(found, windows, strict=True):
        n_lost_so_far = sum(n for frame, n in RECORDING.gaps if frame <= window.end)
        expected = oracle.Decision(
            t_us=(window.end + n_lost_so_far) * period_ns // 1000,
            votes=max(window.votes),
            n_votes=255,
            n_lost=window.n_lost,
            class_idx=window.class_idx,
            window_class_idx=window.window_class,
            warming=window.warming,
        )
        name = ("lo;w", "high")[window.class_idx].encode()
        assert line.wire == oracle.wire_line(expected, int(model.digest[:8], 16), name)
    assert any(window.n_lost for window in windows) and any(window.warming for window in windows)


def test_the_true_label_stands_beside_a_decision_or_why_there_is_none():
    found = list(lines(MODEL, decided()))
    assert {line.truth for line in found} == {"low", "high", "(straddling)", "(dropped label)", "(unlabeled)"}
    for line in found:
        name = native.wire_decode(line.wire)[2]
        assert line.right is (None if line.truth.startswith("(") else name == line.truth)
    assert {True, False, None} == {line.right for line in found}


def test_scores_are_those_of_the_lines():
    found = [line for line in lines(MODEL, decided()) if line.right is not None]
    n_labelled, macro_f1, accuracy = score(MODEL, [decided(), decided()])
    assert n_labelled == 2 * len(found)
    assert accuracy == pytest.approx(sum(line.right for line in found) / len(found))
    f1 = []
    for name in ("low", "high"):
        said = [native.wire_decode(line.wire)[2] == name for line in found]
        true = [line.truth == name for line in found]
        hits = sum(s and t for s, t in zip(said, true, strict=True))
        f1.append(2 * hits / (sum(said) + sum(true)))
    assert macro_f1 == pytest.approx(sum(f1) / 2)


def test_there_are_24_mounts_and_each_is_a_rotation():
    found = mounts()
    assert len(set(found)) == 24 and found[0] == ((0, 1), (1, 1), (2, 1))
    matrices = set()
    for mount in found:
        matrix = np.zeros((3, 3), int)
        for row, (axis, sign) in enumerate(mount):
            matrix[row, axis] = sign
        x, y, z = matrix
        assert (np.cross(x, y) == z).all()
        matrices.add(matrix.tobytes())
    # Rotations form a group: two in a row are one of them.
    arrays = [np.frombuffer(m, int).reshape(3, 3) for m in matrices]
    assert all((a @ b).tobytes() in matrices for a in arrays for b in arrays)


@pytest.mark.parametrize("mount", mounts())
def test_turning_samples_is_the_mount_of_the_spec(mount):
    rng = np.random.default_rng(1)
    six = replace(
        RECORDING,
        channels=("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"),
        # On the grid, where rounding of halves cannot tell a sign.
        values=rng.integers(-2000, 2000, (60, 6)) / 1000,
    )
    spec = replace(SPEC, sensors=("acc", "gyro"), gyro_step=Fraction(1, 1000))
    expected = quantise(six, replace(spec, mount=mount)).samples
    turned = turn(quantise(six, spec), mount).samples
    assert (turned == expected).all()
    assert turned.dtype == np.int16 and turned.flags["C_CONTIGUOUS"]


def test_the_opposite_of_the_smallest_sample_is_the_largest():
    samples = np.array([[-32768, 32767, 0]], np.int16)
    recording = Recording("a", "", "", 10.0, samples, (), (), 0)
    turned = turn(recording, ((0, -1), (1, -1), (2, 1)))
    assert turned.samples.tolist() == [[32767, -32767, 0]]
    assert samples.tolist() == [[-32768, 32767, 0]]


def test_a_model_that_looks_at_one_axis_does_not_feel_turns_about_it():
    steps = []
    results = rotate(MODEL, [quantise(RECORDING, SPEC)], lambda done, total: steps.append((done, total)))
    assert steps == [(i, 24) for i in range(1, 25)]
    assert tuple(turned.mount for turned in results) == mounts()
    n_labelled, macro_f1, accuracy = score(MODEL, [decided()])
    for turned in results:
        assert turned.n_labelled == n_labelled
        if turned.mount[0] == (0, 1):
            assert (turned.unchanged, turned.macro_f1, turned.accuracy) == (1.0, macro_f1, accuracy)
        if turned.mount[0] in ((0, -1), (1, 1), (1, -1), (2, -1)):
            # The first axis then never exceeds 0: all windows are low.
            low = [native.wire_decode(line.wire)[2] == "low" for line in lines(MODEL, decided())]
            assert turned.unchanged == pytest.approx(sum(low) / len(low)) and turned.unchanged < 1


@pytest.fixture
def files(tmp_path):
    artifact.save(MODEL, tmp_path / "tilt.json")
    return str(tmp_path / "tilt.json"), str(write_csv(RECORDING, tmp_path))


def test_the_command_prints_every_decision_and_a_summary(files, capsys):
    assert main(["replay", *files]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("# ") and out[0].endswith(f"60 frames, {len(out) - 2} windows")
    for text, line in zip(out[1:-1], lines(MODEL, decided()), strict=True):
        wire, beside = text[: len(line.wire)], text[len(line.wire) :]
        assert wire == line.wire and native.wire_decode(wire)
        assert beside.split() == ([] if line.right is not False else ["*"]) + line.truth.split()
    n_labelled, macro_f1, accuracy = score(MODEL, [decided()])
    assert out[-1] == (
        f"# {len(out) - 2} decisions, {n_labelled} with a true label: "
        f"macro-F1 {macro_f1:.3f}, accuracy {accuracy:.3f} (after smoothing)"
    )


@pytest.mark.parametrize("chunk", ["1", "7", "1000"])
def test_the_size_of_a_chunk_makes_no_difference(files, chunk, capsys):
    assert main(["replay", *files]) == 0
    whole = capsys.readouterr().out
    assert main(["replay", *files, "--chunk", chunk]) == 0
    assert capsys.readouterr().out == whole


def test_a_recording_without_labels_is_replayed_without_scores(files, tmp_path, capsys):
    path = write_csv(raw("plain", X_G, [""] * 60), tmp_path)
    assert main(["replay", files[0], str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == "# 29 decisions, 0 with a true label"
    assert all(line.endswith("(unlabeled)") for line in out[1:-1])
    assert main(["replay", files[0], str(path), "--rotate"]) == 0
    assert "0 windows with a true label" in capsys.readouterr().out


def test_one_mount_can_be_chosen(files, capsys):
    assert main(["replay", *files, "--mount=-x,-y,z"]) == 0
    turned = capsys.readouterr().out.splitlines()[1:-1]
    assert all(",0,0,low," in line for line in turned)
    assert main(["replay", *files, "--mount", "x,y,z"]) == 0
    plain = capsys.readouterr().out
    assert main(["replay", *files]) == 0
    assert capsys.readouterr().out == plain


def test_all_mounts_are_compared(files, capsys):
    assert main(["replay", *files, "--rotate"]) == 0
    out = capsys.readouterr().out
    assert sum("│" in line for line in out.splitlines()) == 24
    for turned in rotate(MODEL, [quantise(RECORDING, SPEC)]):
        name = ",".join(("-" if sign < 0 else "") + "xyz"[axis] for axis, sign in turned.mount)
        row = next(line for line in out.splitlines() if f" {name} " in line)
        assert f"{turned.macro_f1:.3f}" in row and f"{turned.unchanged:.3f}" in row


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ("y,x,z", "mirrors the device"),
        ("x,y", "not three of"),
        ("x,x,z", "not three of"),
        ("x,y,w", "not three of"),
    ],
)
def test_a_mount_that_cannot_be_is_one_clear_error(files, mount, message, capsys):
    assert main(["replay", *files, f"--mount={mount}"]) == 1
    error = capsys.readouterr()
    assert message in error.err and error.out == ""


@pytest.mark.parametrize("chunk", ["0", "-1", "x", ""])
def test_a_chunk_that_is_no_number_of_frames_exits_with_2(files, chunk, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["replay", *files, "--chunk", chunk])
    assert caught.value.code == 2
    assert f"argument --chunk: invalid number from 1 value: '{chunk}'" in capsys.readouterr().err


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["replay", "--help"])
    assert caught.value.code == 0
    assert "west emlearn replay model/har.json recordings/p1_walk.csv --chunk 32" in capsys.readouterr().out
