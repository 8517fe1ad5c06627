# SPDX-License-Identifier: Apache-2.0
"""The sample har_imu: what its sample.yaml expects of every target is what the host computes."""

import re
import struct
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from emlearn_tools import artifact, native, recording, steps
from emlearn_tools.spec import load_spec
from emlearn_tools.trees_layout import layout

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "har_imu"
MODEL = SAMPLE / "model" / "har.json"
REPLAY = SAMPLE / "replay" / "synth.csv"


def fnv1a(data: bytes) -> int:
    """FNV-1a, 32 bits."""
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 % 2**32
    return value


def decisions_hash(fields: Iterable[tuple[int, ...]]) -> int:
    """The number that the sample prints: each decision hashed together with the hash before it.

    fields: class, class of the window, votes, votes in all, frames lost, warming.
    """
    value = 0
    for decision in fields:
        value = fnv1a(struct.pack("<7I", value, *decision))
    return value


def through_a_chip(samples: np.ndarray, step: Fraction, chip_step: Fraction) -> np.ndarray:
    """Counts of the model as they come back from a chip on another grid.

    Rounded to the chip's codes, and those again to counts; to nearest, halves up.
    """

    def rounded(value: Fraction) -> int:
        return (2 * value.numerator + value.denominator) // (2 * value.denominator)

    counts = [
        rounded(rounded(Fraction(count) * step / chip_step) * chip_step / step)
        for count in samples.ravel().tolist()
    ]
    return np.array(counts, dtype=np.int16).reshape(samples.shape)


def expected_summary(seen: Callable[[np.ndarray], np.ndarray] = lambda samples: samples) -> str:
    """The last line of the sample, by the host library and labels read here.

    seen: what of the recording's counts the sensor gives back.
    """
    model = artifact.load(MODEL)
    spec = model.spec
    (raw,) = recording.load([REPLAY])
    played = recording.quantise(raw, spec)
    windows = native.run(spec, seen(played.samples), played.gaps, layout=layout(model.forest))
    labels = [line.rsplit(",", 1)[1] for line in REPLAY.read_text(encoding="utf-8").splitlines()[1:]]
    fields, n_labelled, n_right = [], 0, 0
    for i, end in enumerate(windows.end.tolist()):
        window_class, class_idx = int(windows.window_class[i]), int(windows.class_idx[i])
        votes = int(windows.votes[i, window_class])
        lost, warming = int(windows.n_lost[i]), int(windows.warming[i])
        fields.append((class_idx, window_class, votes, model.forest.n_votes, lost, warming))
        inside = set(labels[end - spec.window_len + 1 : end + 1])
        if len(inside) == 1 and inside <= set(model.classes):
            n_labelled += 1
            n_right += model.classes[class_idx] in inside
    n_lost = sum(gap.n_lost for gap in played.gaps)
    return (
        f"replay: {len(labels)} frames, {n_lost} lost, {len(fields)} decisions, "
        f"{n_right} of {n_labelled} labelled windows right, hash {decisions_hash(fields):08x}"
    )


def scenarios() -> dict[str, dict]:
    """What sample.yaml says of each scenario, by its last name, "har_imu" for the first."""
    config = yaml.safe_load((SAMPLE / "sample.yaml").read_text(encoding="utf-8"))
    return {
        name.removeprefix("emlearn.har_imu.").removeprefix("emlearn."): {**config["common"], **own}
        for name, own in config["tests"].items()
    }


@pytest.mark.parametrize("name", ["har_imu", "fifo", "stream"])
def test_sample_yaml_expects_what_the_host_computes(name: str):
    scenario = scenarios()[name]
    n_golden = len(artifact.load(MODEL).golden.windows)
    assert n_golden > 0
    assert scenario["harness_config"]["regex"] == [
        f"self-test: {n_golden} of {n_golden} windows",
        expected_summary(),
    ]
    assert not scenario.get("build_only")


def test_what_is_built_only_is_what_cannot_know_its_motion():
    built_only = {name for name, scenario in scenarios().items() if scenario.get("build_only")}
    assert built_only == {"board", "shield_lsm6dsl", "shield_icm42688", "read_only"}


def test_the_model_is_on_the_grid_of_the_lsm6dsl():
    assert artifact.load(MODEL).spec.acc_step == steps.CHIPS["lsm6dsl"]["acc"][4]


def test_the_grid_of_the_icm42688_changes_frames_and_no_decision():
    """One model serves both chips; the high-resolution FIFO of this one always has 8192 codes a g."""
    step = artifact.load(MODEL).spec.acc_step
    changed = []

    def seen(samples: np.ndarray) -> np.ndarray:
        there_and_back = through_a_chip(samples, step, Fraction(1, 8192))
        changed.append(np.abs(there_and_back.astype(int) - samples))
        return there_and_back

    assert expected_summary(seen) == expected_summary()
    assert changed[0].max() == 1


def test_decisions_on_other_frames_would_be_noticed():
    assert expected_summary(lambda samples: samples[:, ::-1].copy()) != expected_summary()


def test_the_readme_shows_the_lines_that_the_sample_prints():
    text = (SAMPLE / "README.rst").read_text(encoding="utf-8")
    assert expected_summary() in text
    model = artifact.load(MODEL)
    for line in re.findall(r"E1,\S+", text):
        decision, digest, name = native.wire_decode(line)
        assert digest == model.digest32
        assert name == model.classes[decision.class_idx]


def test_the_model_is_of_the_spec_that_the_readme_names():
    spec = load_spec(ROOT / "specs" / "synth.yaml").pipeline
    model = artifact.load(MODEL)
    assert spec.with_features(model.spec.features) == model.spec


def test_the_recording_is_short_enough_to_live_in_a_repository():
    (raw,) = recording.load([REPLAY])
    assert len(raw.values) / raw.rate_hz <= 60
