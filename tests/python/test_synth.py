# SPDX-License-Identifier: Apache-2.0
"""The recordings of the kinematic model: what physics and the file format demand of them."""

import argparse
import itertools
from pathlib import Path

import numpy as np
import pytest
from emlearn_tools import synth
from emlearn_tools.check import check
from emlearn_tools.cli import synth as cli
from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import labels_of, load
from hypothesis import given, settings
from hypothesis import strategies as st

LABELS = {"resting", "walking", "running", "stairs", "squats", "shaking"}


@pytest.fixture(scope="module")
def recordings():
    return synth.make(subjects=6, minutes=4, rate_hz=50, seed=11)


def windows(raw, n: int = 100):
    """Yield (label, (n, 6)) of whole windows of one label."""
    for span in raw.spans:
        for start in range(span.start, span.stop - n + 1, n):
            yield span.label, raw.values[start : start + n]


def test_every_person_does_every_activity_in_every_recording(recordings):
    assert [(raw.subject, raw.recording) for raw in recordings] == [
        (f"p{subject:02d}", f"r{number}") for subject in range(1, 7) for number in (1, 2)
    ]
    for raw in recordings:
        assert len(raw.values) == 6000
        assert {span.label for span in raw.spans} == LABELS | {"unlabeled"}
        lengths = [(span.stop - span.start) / 50 for span in raw.spans if span.label != "unlabeled"]
        assert min(lengths) >= synth.MIN_BOUT_S - 0.05
        unlabelled = sum(span.stop - span.start for span in raw.spans if span.label == "unlabeled")
        assert unlabelled == 6 * round(50 * synth.TRANSITION_S)


def test_the_orders_of_activities_differ(recordings):
    orders = {tuple(span.label for span in raw.spans) for raw in recordings}
    assert len(orders) > len(recordings) // 2


def test_the_same_seed_gives_the_same_recordings_and_another_seed_others():
    a, b, c = (synth.make(subjects=2, minutes=1, seed=seed) for seed in (5, 5, 6))
    assert all(np.array_equal(x.values, y.values) and x.spans == y.spans for x, y in zip(a, b, strict=True))
    assert all(not np.array_equal(x.values, y.values) for x, y in zip(a, c, strict=True))


def test_more_persons_leave_the_first_ones_as_they_were():
    few, many = synth.make(subjects=2, minutes=1), synth.make(subjects=5, minutes=1)
    assert all(np.array_equal(x.values, y.values) for x, y in zip(few, many, strict=False))


def test_values_are_codes_of_the_sensor_within_its_range(recordings):
    for raw in recordings:
        for values, full_scale in ((raw.values[:, :3], 4.0), (raw.values[:, 3:], 500.0)):
            codes = values / (full_scale / 32768)
            np.testing.assert_array_equal(codes, np.round(codes))
            assert codes.min() >= -32768 and codes.max() <= 32767


def test_strong_movement_clips_somewhere():
    largest = max(np.abs(raw.values[:, :3]).max() for raw in synth.make(subjects=8, seed=0))
    assert largest >= 4.0 * 32767 / 32768


def test_a_body_at_rest_feels_one_g(recordings):
    lengths = [
        np.sqrt((w[:, :3] ** 2).sum(axis=1)) for raw in recordings for k, w in windows(raw) if k == "resting"
    ]
    assert np.median(np.concatenate(lengths)) == pytest.approx(1, abs=0.02)


def test_the_gyroscope_is_the_rate_at_which_gravity_turns(recordings):
    # Seen from the body, gravity's direction u obeys du/dt = u x w; between postures nothing else moves.
    errors, sizes, mirrored = 0.0, 0.0, 0.0
    for raw in recordings:
        for span in raw.spans:
            part = raw.values[span.start : span.stop]
            if span.label != "unlabeled" or np.linalg.norm(part[-1, :3] - part[0, :3]) < 0.5:
                continue
            acc, rate = (
                np.stack([np.convolve(column, np.ones(9) / 9, "valid") for column in columns.T], axis=1)
                for columns in (part[:, :3], np.radians(part[:, 3:]))
            )
            turned, expected = np.diff(acc, axis=0) * 50, np.cross(acc, rate)[:-1]
            errors += ((turned - expected) ** 2).sum()
            mirrored += ((turned + expected) ** 2).sum()
            sizes += (turned**2).sum()
    assert errors < 0.05 * sizes
    assert mirrored > 3 * sizes


def test_a_turning_sensor_gives_the_derivative_of_its_orientation(monkeypatch):
    for name in ("ACC_NOISE_G", "GYRO_NOISE_DPS", "ACC_BIAS_G", "GYRO_BIAS_DPS", "SCALE_ERROR"):
        monkeypatch.setattr(synth, name, 0.0)
    seconds = np.arange(2000) / 1000
    turn = np.stack([0.5 * np.sin(seconds * k + k) for k in (2.0, 3.0, 5.0)], axis=1)
    heading, wear = 0.8 * seconds**2, np.array([0.3, -0.4, 0.5])
    values = synth._sense(np.zeros((2000, 3)), turn, heading, wear, 1000.0, np.random.RandomState(0))

    def about(axis: int, angle: np.ndarray) -> np.ndarray:
        """Turn about one axis by the right-hand rule, (n, 3, 3)."""
        matrix = np.tile(np.eye(3), (len(angle), 1, 1))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        matrix[:, i, i] = matrix[:, j, j] = np.cos(angle)
        matrix[:, j, i], matrix[:, i, j] = np.sin(angle), -np.sin(angle)
        return matrix

    worn = about(2, wear[2:]) @ about(1, wear[1:2]) @ about(0, wear[:1])
    pose = about(2, turn[:, 2] + heading) @ about(1, turn[:, 1]) @ about(0, turn[:, 0]) @ worn
    spin = np.swapaxes(pose, 1, 2)[1:-1] @ (pose[2:] - pose[:-2]) * 500
    rate = np.degrees(np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1))
    np.testing.assert_allclose(values[1:-1, 3:], rate, atol=0.1)
    np.testing.assert_allclose(values[:, :3], pose[:, 2], atol=1e-3)
    assert np.abs(rate).max() > 100


@pytest.mark.parametrize(
    ("label", "low_hz", "high_hz"),
    [("walking", 1.3, 2.4), ("running", 1.9, 3.4), ("stairs", 1.0, 2.1), ("shaking", 2.2, 6.5)],
)
def test_movements_repeat_at_the_rate_that_the_table_gives(recordings, label, low_hz, high_hz):
    found = []
    for raw in recordings:
        for name, window in windows(raw, 256):
            if name == label:
                # Vertical for steps; shakes are sideways.
                signal = window[:, 1 if label == "shaking" else 2]
                power = np.abs(np.fft.rfft((signal - signal.mean()) * np.hanning(256))) ** 2
                power[:5] = 0  # under 1 Hz: posture and turns
                found.append(np.argmax(power) * 50 / 256)
    inside = [low_hz <= rate <= high_hz or low_hz <= rate / 2 <= high_hz for rate in found]
    assert len(found) > 20
    assert np.mean(inside) > 0.9


def test_persons_differ_more_than_one_person_does(recordings):
    spread = {}
    for raw in recordings:
        strength = [window[:, 2].std() for label, window in windows(raw) if label == "running"]
        spread.setdefault(raw.subject, []).append(np.median(strength))
    between = np.std([np.mean(pair) for pair in spread.values()])
    within = np.mean([abs(a - b) / 2 for a, b in spread.values()])
    assert between > within


def test_a_plain_classifier_does_well_on_new_persons_and_not_perfectly(recordings):
    def describe(window):
        length = np.sqrt((window[:, :3] ** 2).sum(axis=1))
        return [
            *window.mean(axis=0),
            *np.log(window.std(axis=0)),
            length.std(),
            np.abs(np.diff(length)).mean(),
        ]

    rows = [
        (describe(window), label, raw.subject)
        for raw in recordings
        for label, window in windows(raw)
        if label != "unlabeled"
    ]
    x = np.array([row[0] for row in rows])
    y = np.array([row[1] for row in rows])
    person = np.array([row[2] for row in rows])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    guessed = np.empty_like(y)
    for subject in np.unique(person):
        train = person != subject
        for i in np.flatnonzero(~train):
            nearest = np.argsort(((x[train] - x[i]) ** 2).sum(axis=1))[:5]
            names, counts = np.unique(y[train][nearest], return_counts=True)
            guessed[i] = names[np.argmax(counts)]
    assert 0.75 < (guessed == y).mean() < 0.99


@settings(deadline=None, max_examples=25)
@given(
    subjects=st.integers(1, 3),
    minutes=st.floats(0.75, 3),
    rate_hz=st.sampled_from([20.0, 25.0, 52.0, 104.0, 416.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_size_and_rate_gives_whole_recordings(subjects, minutes, rate_hz, seed):
    recordings = synth.make(subjects, minutes, rate_hz, seed)
    by_subject = itertools.groupby(recordings, key=lambda raw: raw.subject)
    for _, own in by_subject:
        frames = sum(len(raw.values) for raw in own)
        assert frames == pytest.approx(60 * minutes * rate_hz, abs=1.01)
    for raw in recordings:
        assert np.isfinite(raw.values).all()
        assert set(labels_of(raw.spans)) == LABELS | {"unlabeled"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"subjects": 0}, "0 subjects"),
        ({"subjects": 1000}, "1000 subjects"),
        ({"minutes": 0.7}, "0.7 minutes"),
        ({"minutes": float("nan")}, "nan minutes"),
        ({"rate_hz": 19}, "a rate of 19 Hz"),
        ({"seed": -1}, "the seed -1"),
        ({"seed": 2**32}, "the seed 4294967296"),
    ],
)
def test_sizes_out_of_range_are_refused(arguments, message):
    with pytest.raises(EmlearnError, match=message):
        synth.make(**arguments)


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_parser(parser.add_subparsers(dest="command"))
    return cli.run(parser.parse_args(["synth", *argv]))


def test_the_command_writes_recordings_that_read_back_and_pass_check(tmp_path, capsys):
    folder = tmp_path / "set"
    arguments = ["-o", str(folder), "--seed", "3", "--subjects", "2", "--minutes", "6", "--rate", "52"]
    assert run(*arguments) == 0
    assert "4 recordings of 2 persons, 12.0 minutes" in capsys.readouterr().out
    made = synth.make(subjects=2, minutes=6, rate_hz=52, seed=3)
    for raw, got in zip(made, load([folder]), strict=True):
        assert got.name == f"set/{raw.name}"
        assert (got.subject, got.recording, got.channels, got.spans, got.gaps) == (
            raw.subject,
            raw.recording,
            raw.channels,
            raw.spans,
            (),
        )
        assert got.rate_hz == pytest.approx(52, rel=1e-6)
        # Closer than half a step, so the same codes.
        assert (np.abs(got.values - raw.values) < [2 / 32768] * 3 + [250 / 32768] * 3).all()
    report = check([folder])
    assert not report.errors
    assert [finding.what for finding in report.warnings if "clipped" not in finding.what] == []
    assert all(path.name in {*(raw.name for raw in made), "index.csv"} for path in folder.iterdir())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(*arguments) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_defaults_of_the_command_are_those_of_the_function(tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(synth, "make", lambda **arguments: seen.update(arguments) or [])
    run("-o", str(tmp_path))
    assert seen == {"seed": 0}
    subparsers = argparse.ArgumentParser().add_subparsers()
    cli.add_parser(subparsers)
    text = " ".join(subparsers.choices["synth"].format_help().split())
    for default, name in ((8, "N_SUBJECTS"), (4, "MINUTES"), (50, "RATE_HZ")):
        assert getattr(synth, name) == default and f"(default {default})" in text


def test_a_folder_with_other_recordings_is_left_alone(tmp_path):
    (tmp_path / "mine.csv").write_text("time,acc_x,acc_y,acc_z\n")
    with pytest.raises(EmlearnError, match="holds other recordings, as mine.csv"):
        synth.write(synth.make(subjects=1, minutes=1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_an_output_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmlearnError):
        synth.write(synth.make(subjects=1, minutes=1), tmp_path / "file" / "set")
    assert (tmp_path / "file").read_text() == ""
    assert sorted(Path(tmp_path).iterdir()) == [tmp_path / "file"]
