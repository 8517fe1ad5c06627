# SPDX-License-Identifier: Apache-2.0
"""What is wrong with recordings, before anybody trains on them. An error stops training, a warning explains
it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emlearn_tools import loaders, units
from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import NO_LABEL, Progress, RawRecording

JSON_FORMAT = 1

RATE_SPREAD = 0.05
"""Rates that differ by more do not fit one spec at its default tolerance."""

INDEX_RATE_TOLERANCE = 0.02
CLIPPED_SHARE = 0.001
SHORT_S = 2.0
FEW_S = 30.0
IMBALANCE = 10.0


@dataclass(frozen=True)
class Finding:
    """One problem. where: a recording, a file and line, or "" for the whole."""

    what: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Summary:
    """One recording in figures. labels: frames by label. median_acc: in the file's unit; unit: what that
    looks like. None and "" without an accelerometer. n_clipped: frames at the full scale of a usual range,
    held there.
    """

    name: str
    subject: str
    recording: str
    rate_hz: float
    n_frames: int
    duration_s: float
    channels: tuple[str, ...]
    n_gaps: int
    n_lost: int
    n_not_finite: int
    median_acc: float | None
    unit: str
    n_clipped: int
    labels: dict[str, int]


@dataclass(frozen=True)
class Report:
    """What check() found."""

    recordings: tuple[Summary, ...]
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    def seconds_by_label(self) -> dict[str, dict[str, float]]:
        """Seconds of each label by subject (by recording where the subject is unknown), most frequent label
        first; frames without a label are under ""."""
        seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for item in self.recordings:
            for label, n_frames in item.labels.items():
                key = "" if label in NO_LABEL else label
                seconds[key][item.subject or item.name] += n_frames / item.rate_hz
        order = sorted(seconds, key=lambda label: (not label, -sum(seconds[label].values()), label))
        return {label: dict(seconds[label]) for label in order}

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        return {
            "format": JSON_FORMAT,
            "ok": not self.errors,
            "errors": [asdict(finding) for finding in self.errors],
            "warnings": [asdict(finding) for finding in self.warnings],
            "seconds_by_label": self.seconds_by_label(),
            "recordings": [asdict(item) | {"channels": list(item.channels)} for item in self.recordings],
        }


def check(paths: Sequence[Path], progress: Progress | None = None) -> Report:
    """Read everything under `paths` and judge it; a file that cannot be read is an error of the report.

    progress: called with (files read, files in all). Raises EmlearnError if there is nothing to read.
    """
    sources = loaders.find(paths)
    summaries: list[Summary] = []
    errors: list[Finding] = []
    warnings: list[Finding] = []
    seen: dict[str, str] = {}
    for done, source in enumerate(sources, start=1):
        try:
            for raw in source.read():
                item = summarise(raw)
                summaries.append(item)
                errors += _errors(raw, item, source)
                warnings += _warnings(raw, item, source)
                digest = hashlib.sha256(raw.values.tobytes()).hexdigest()
                if digest in seen:
                    hint = "keep one; a copy in training and test makes the score worthless"
                    warnings.append(Finding(f"holds the same samples as {seen[digest]}", raw.name, hint))
                seen.setdefault(digest, raw.name)
        except EmlearnError as error:
            errors.append(Finding(error.what, error.where or source.name, error.hint))
        if progress:
            progress(done, len(sources))
    listed = [source for source in sources if source.entry is not None]
    if listed and len(listed) < len(sources):
        warnings += [
            Finding("is not in index.csv, so its subject is unknown", source.name, "add a line to index.csv")
            for source in sources
            if source.entry is None
        ]
    absent = loaders.absent(paths)
    if absent:
        what = f"{len(absent)} files that index.csv lists are not there"
        warnings.append(Finding(what, absent[0], "fetch them, or delete their lines from index.csv"))
    report = Report(tuple(summaries), tuple(errors), tuple(warnings))
    return Report(report.recordings, report.errors, (*report.warnings, *_overall(report)))


def summarise(raw: RawRecording) -> Summary:
    """Return the figures of one recording, in which values may be NaN."""
    labels = Counter[str]()
    for span in raw.spans:
        labels[span.label] += span.stop - span.start
    median = units.median_acc(raw)
    return Summary(
        name=raw.name,
        subject=raw.subject,
        recording=raw.recording,
        rate_hz=raw.rate_hz,
        n_frames=len(raw.values),
        duration_s=len(raw.values) / raw.rate_hz,
        channels=raw.channels,
        n_gaps=len(raw.gaps),
        n_lost=sum(gap.n_lost for gap in raw.gaps),
        n_not_finite=int((~np.isfinite(raw.values)).any(axis=1).sum()),
        median_acc=median,
        unit="" if median is None else units.looks_like(median),
        n_clipped=units.count_clipped(raw),
        labels=dict(labels),
    )


def _errors(raw: RawRecording, item: Summary, source: loaders.Source) -> list[Finding]:
    found = []
    if item.n_not_finite:
        frame = int(np.argmax((~np.isfinite(raw.values)).any(axis=1)))
        hint = "delete such lines; the hole in the time stamps is then treated as a gap"
        found.append(
            Finding(f"{item.n_not_finite} frames with NaN or infinity", source.place(raw, frame), hint)
        )
    try:
        units.require_g(raw)
    except EmlearnError as error:
        found.append(Finding(error.what, raw.name, error.hint))
    return found


def _warnings(raw: RawRecording, item: Summary, source: loaders.Source) -> list[Finding]:
    found = []
    if item.median_acc is not None and item.unit != "g" and item.median_acc <= units.MAX_MEDIAN_G:
        what = f"median |acc| is {item.median_acc:.3g} g, not near 1 g"
        what += "" if item.unit == "unknown" else f"; looks like {item.unit}"
        found.append(Finding(what, item.name, units.hint_for(item.unit)))
    if units.gyro_looks_like_rad(raw):
        hint = "multiply the angular rate by 180 / pi"
        found.append(Finding("the gyroscope looks like rad/s, not degrees/s", item.name, hint))
    expected = source.entry.rate_hz if source.entry else None
    if expected and abs(item.rate_hz / expected - 1) > INDEX_RATE_TOLERANCE:
        what = f"time stamps give {item.rate_hz:.5g} Hz, index.csv says {expected:.5g} Hz"
        found.append(Finding(what, item.name, "training goes by the time stamps"))
    if item.duration_s < SHORT_S:
        found.append(
            Finding(f"lasts {item.duration_s:.2g} s only", item.name, "a recording holds many windows")
        )
    return found


def _overall(report: Report) -> list[Finding]:
    items = report.recordings
    if not items:
        return []
    found = []
    rates = [item.rate_hz for item in items]
    if max(rates) > min(rates) * (1 + RATE_SPREAD):
        what = f"rates from {min(rates):.5g} to {max(rates):.5g} Hz"
        found.append(Finding(what, "", "one spec takes one rate; train on those of one rate, or resample"))
    if len({item.channels for item in items}) > 1:
        hint = "a spec's sensors must be in every recording"
        found.append(Finding("not all recordings have the same channels", "", hint))
    gappy = [item for item in items if item.n_gaps]
    if gappy:
        n_gaps = sum(item.n_gaps for item in gappy)
        lost = sum(item.n_lost / item.rate_hz for item in gappy)
        what = f"{n_gaps} gaps in {len(gappy)} of {len(items)} recordings, {lost:.1f} s lost"
        found.append(Finding(what, "", "no window spans a gap; nothing to do if they are few"))
    clipped = [item for item in items if item.n_clipped > CLIPPED_SHARE * item.n_frames]
    if clipped:
        most = max(clipped, key=lambda item: item.n_clipped / item.n_frames)
        what = f"frames are clipped at full scale in {len(clipped)} of {len(items)} recordings"
        what += f", most in {most.name} ({100 * most.n_clipped / most.n_frames:.2g} %)"
        found.append(Finding(what, "", "record with a larger range"))
    return found + _about_labels(report) + _about_subjects(items)


def _about_labels(report: Report) -> list[Finding]:
    seconds = report.seconds_by_label()
    labels = [label for label in seconds if label]
    if not labels:
        hint = "add a column `label` to train; replay works without"
        return [Finding("no labels", "", hint)]
    found = []
    bare = [item.name for item in report.recordings if not set(item.labels) - set(NO_LABEL)]
    if bare:
        what = f"{len(bare)} of {len(report.recordings)} recordings have no labels, as {bare[0]}"
        found.append(Finding(what, "", "training has no use for them"))
    if len(labels) == 1:
        found.append(Finding(f"one class only, {labels[0]}", "", "training needs at least two"))
    totals = {label: sum(seconds[label].values()) for label in labels}
    few = [label for label in labels if totals[label] < FEW_S]
    if few:
        what = "under 30 s of " + ", ".join(f"{label} ({totals[label]:.0f} s)" for label in few)
        found.append(Finding(what, "", "record more, or merge or drop them in the spec"))
    if max(totals.values()) > IMBALANCE * min(totals.values()):
        most, least = max(totals, key=totals.get), min(totals, key=totals.get)
        what = f"{most} lasts {totals[most] / totals[least]:.0f} times as long as {least}"
        found.append(Finding(what, "", "look at the score of each class; class_weight: balanced may help"))
    alone = [label for label in labels if len(seconds[label]) == 1]
    if alone and len({key for by_subject in seconds.values() for key in by_subject}) > 1:
        what = f"one subject only for {', '.join(alone)}"
        found.append(Finding(what, "", "such a class cannot be tested on people that training did not see"))
    spellings = defaultdict(list)
    for label in labels:
        spellings["".join(c for c in label.lower() if c.isalnum())].append(label)
    for same in spellings.values():
        if len(same) > 1:
            what = f"labels that differ in spelling only: {', '.join(sorted(same))}"
            found.append(Finding(what, "", "merge them in the spec"))
    return found


def _about_subjects(items: Sequence[Summary]) -> list[Finding]:
    unknown = [item for item in items if not item.subject]
    if unknown:
        what = f"the subject of {len(unknown)} of {len(items)} recordings is unknown"
        hint = "name it in index.csv (file,subject,recording), or split by recording (cv: group: recording)"
        return [Finding(what, "", hint)]
    if len({item.subject for item in items}) == 1:
        hint = "the score then says nothing of other people; split by recording"
        return [Finding(f"one subject only, {items[0].subject}", "", hint)]
    return []
