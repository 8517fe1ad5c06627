# SPDX-License-Identifier: Apache-2.0
"""A model of two classes that can be followed by hand, and recordings for it. Not a test file.

The model knows one feature, acc_x.mean, at 1 mg a count: "low" up to 500 mg, "high" above.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from emlearn_tools.artifact import Golden, Model
from emlearn_tools.model import Forest, Tree
from emlearn_tools.recording import Gap, RawRecording, spans_of
from emlearn_tools.spec import IDENTITY_MOUNT, LabelRules, PipelineSpec

SPEC = PipelineSpec(
    sensors=("acc",),
    acc_step=Fraction(1, 1000),
    gyro_step=None,
    mount=IDENTITY_MOUNT,
    rate_hz=Fraction(10),
    rate_tolerance=0.05,
    window_len=4,
    hop_len=2,
    gravity=(),
    warmup_frames=0,
    features=("acc_x.mean",),
    smooth=(3, 0, 0),
)

FOREST = Forest(1, 2, "soft", (Tree(0, (0,), (500,), (~0,), (~1,)),), ((200, 55), (15, 240)))

MODEL = Model(
    name="tilt",
    spec=SPEC,
    classes=("low", "high"),
    forest=FOREST,
    metrics={},
    provenance={},
    golden=Golden(1, ()),
    labels=LabelRules(drop=("shake",), merge={"high": ("up", "upper")}),
)


def with_join(join: str) -> Model:
    """MODEL with another way to join labels to windows."""
    return replace(MODEL, label_join=join)


def raw(
    name: str, x_g: Sequence[float], labels: Sequence[str], subject: str = "p1", gaps: Sequence[Gap] = ()
) -> RawRecording:
    """A recording at 10 Hz; y is 0, and z makes the acceleration 1 g long."""
    x = np.asarray(x_g, np.float64)
    values = np.stack([x, np.zeros(len(x)), np.sqrt(np.maximum(0.0, 1 - x * x))], axis=1)
    return RawRecording(
        name=name,
        subject=subject,
        recording=name,
        rate_hz=10.0,
        channels=("acc_x", "acc_y", "acc_z"),
        values=values,
        spans=spans_of(np.array(labels)),
        gaps=tuple(gaps),
        source=Path(name),
    )


def write_csv(recording: RawRecording, folder: Path) -> Path:
    """The recording as a CSV file with its gaps as holes in time, in a folder with index.csv."""
    lost = {gap.frame: gap.n_lost for gap in recording.gaps}
    labels = [span.label for span in recording.spans for _ in range(span.start, span.stop)]
    lines, at = ["time,acc_x,acc_y,acc_z,label"], 0
    for i, (values, label) in enumerate(zip(recording.values, labels, strict=True)):
        at += lost.get(i, 0)
        lines.append(f"{(at + i) / 10:.3f},{','.join(f'{v:.9f}' for v in values)},{label}")
    path = folder / f"{recording.name}.csv"
    path.write_text("\n".join(lines) + "\n")
    index = folder / "index.csv"
    head = index.read_text() if index.exists() else "file,subject,recording\n"
    index.write_text(head + f"{path.name},{recording.subject},{recording.recording}\n")
    return path
