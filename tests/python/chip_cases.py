# SPDX-License-Identifier: Apache-2.0
"""Recordings on the grid of a chip, models trained on them, and what the host decides. Not a test file."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from emlearn_tools import artifact, from_sklearn, golden, gravity, native, segment, synth
from emlearn_tools.model import Forest
from emlearn_tools.recording import RawRecording, labels_of, quantise, spans_of
from emlearn_tools.spec import IDENTITY_MOUNT, LabelRules, PipelineSpec
from emlearn_tools.steps import CHIPS

WINDOW_S, HOP_S = 2.0, 0.5
CUT_FRAMES = 7
FEATURES = (
    *(f"gravity_{axis}.mean" for axis in "xyz"),
    *(f"acc_{axis}.{stat}" for axis in "xyz" for stat in ("mean", "min", "max")),
    *(f"gyro_{axis}.{stat}" for axis in "xyz" for stat in ("mean", "min", "max", "iqr")),
    *(f"acc_mag.{stat}" for stat in ("mean", "std")),
)
CLASSES = tuple(sorted(synth.ACTIVITIES))

RATES_HZ = {"lsm6dsl": (26, 52, 104, 208, 416, 833), "icm42688": (25, 50, 100, 200, 500, 1000)}
RANGES = ((2, 250), (4, 2000))
"""Of the accelerometer in g, of the gyroscope in dps."""

LEAST = {"lsm6dsl": -32768, "icm42688": -32766}
"""The lowest code of a sample: an icm42688 keeps those below for what is no sample."""


@dataclass(frozen=True)
class Case:
    """A chip at one rate (Hz) and one pair of ranges (g, dps)."""

    chip: str
    rate_hz: int
    range_g: int
    range_dps: int

    def __str__(self) -> str:
        return f"{self.chip}-{self.name}"

    @property
    def name(self) -> str:
        """As C wants it."""
        return f"r{self.rate_hz}_{self.range_g}g"

    @property
    def spec(self) -> PipelineSpec:
        """The pipeline: windows of WINDOW_S every HOP_S, gravity apart, smoothed."""
        sections = gravity.design(self.rate_hz, 0.5, 2)
        return PipelineSpec(
            sensors=("acc", "gyro"),
            acc_step=Fraction(CHIPS[self.chip]["acc"][self.range_g]),
            gyro_step=Fraction(CHIPS[self.chip]["gyro"][self.range_dps]),
            mount=IDENTITY_MOUNT,
            rate_hz=Fraction(self.rate_hz),
            rate_tolerance=0.05,
            window_len=round(WINDOW_S * self.rate_hz),
            hop_len=round(HOP_S * self.rate_hz),
            gravity=sections,
            warmup_frames=gravity.warmup_frames(sections),
            features=tuple(name for name in native.feature_names() if name in FEATURES),
            smooth=(3, 0, 0),
        )


CASES = {
    chip: [Case(chip, rate, *ranges) for rate in rates for ranges in RANGES]
    for chip, rates in RATES_HZ.items()
}
"""Every rate and range, by chip."""


def record(case: Case) -> RawRecording:
    """45 s of six activities, without gaps; every value is a whole number of the chip's steps.

    The last frames are left out so that batches of 32 never fit.
    """
    (raw,) = synth.make(subjects=1, minutes=0.75, rate_hz=case.rate_hz, seed=case.range_g)
    samples = np.maximum(quantise(raw, case.spec).samples[:-CUT_FRAMES], LEAST[case.chip])
    return replace(
        raw,
        values=samples * np.array([float(step) for step in case.spec.steps]),
        spans=spans_of(labels_of(raw.spans)[:-CUT_FRAMES]),
    )


def train(case: Case, raw: RawRecording) -> artifact.Model:
    """A forest for one recording whose every threshold is a feature of one of its windows.

    So a window whose feature comes out one count higher takes the other branch.
    """
    from sklearn.ensemble import RandomForestClassifier

    spec = case.spec
    recording = quantise(raw, spec)
    windows = native.run(spec, recording.samples)
    truth = segment.join(
        windows.end, spec.window_len, recording.spans, CLASSES, LabelRules(keep=CLASSES), "majority"
    )
    x, y = windows.features[truth >= 0], truth[truth >= 0]
    fitted = RandomForestClassifier(12, min_samples_leaf=2, max_features=3, random_state=1).fit(x, y)
    forest = _lowered(from_sklearn.forest(fitted, len(CLASSES)), windows.features)
    return artifact.Model(
        name=case.name,
        spec=spec,
        classes=CLASSES,
        forest=forest,
        metrics={},
        provenance={},
        golden=golden.make(spec, forest, 1),
        labels=LabelRules(keep=CLASSES),
        label_join="majority",
    )


def _lowered(forest: Forest, features: np.ndarray) -> Forest:
    """The forest with each threshold at the highest of `features`, (k, n), that lies at or below it."""
    columns = [np.unique(column) for column in features.T]

    def lowered(feature: int, threshold: int) -> int:
        below = columns[feature][columns[feature] <= threshold]
        return int(below[-1]) if len(below) else threshold

    return replace(
        forest,
        trees=tuple(
            replace(tree, threshold=tuple(map(lowered, tree.feature, tree.threshold)))
            for tree in forest.trees
        ),
    )
