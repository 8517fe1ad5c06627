# SPDX-License-Identifier: Apache-2.0
"""Recordings to features and classes: whole recordings stream through the device's C code, then labels
join."""

import fnmatch
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from emlearn_tools import native, segment
from emlearn_tools.c_names import class_identifiers
from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import Gap, RawRecording, Recording, Span, bridge, quantise

if TYPE_CHECKING:
    from emlearn_tools.spec import PipelineSpec, RecordingRules, TrainSpec

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Dataset:
    """Windows that carry a class, and where they came from.

    x: (k, n_features) int16. y: (k,) class indices. group: (k,) numbers into `groups`. recording: (k,)
    numbers into `recordings`. end: (k,) last frame of the window in its recording. classes, groups: names.
    groups_of: group number by recording. dropped: windows that carry no class, by reason. n_warming:
    windows among the k that hold frames from before the filter had settled. n_bridged: holes in time stamps
    that the spec has bridged.
    """

    x: np.ndarray
    y: np.ndarray
    group: np.ndarray
    recording: np.ndarray
    end: np.ndarray
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    groups_of: tuple[int, ...]
    recordings: tuple[Recording, ...]
    dropped: dict[str, int]
    n_warming: int
    n_bridged: int


def select(raws: Sequence[RawRecording], rules: "RecordingRules", where: str) -> list[RawRecording]:
    """The recordings that the include and exclude patterns choose, by name or by its last part.

    Raises EmlearnError if none is left.
    """

    def matches(raw: RawRecording, patterns: Sequence[str]) -> bool:
        names = (raw.name, raw.name.rsplit("/", 1)[-1])
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)

    chosen = [
        raw
        for raw in raws
        if (not rules.include or matches(raw, rules.include)) and not matches(raw, rules.exclude)
    ]
    if not chosen:
        names = ", ".join(raw.name for raw in raws[:3])
        raise EmlearnError("no recording matches", where, f"names look like this: {names}")
    return chosen


def build(raws: Sequence[RawRecording], spec: "TrainSpec", progress: Progress | None = None) -> Dataset:
    """Features and classes of all recordings that the spec chooses.

    progress: called with (recordings done, in all).
    Raises EmlearnError if no recording or window is left, a recording does not fit the spec (rate,
    sensors), a group has no name, or classes are missing, too few or too many.
    """
    chosen = select(raws, spec.recordings, f"{spec.name}: recordings")
    where = f"{spec.name}: labels"
    classes = segment.classes_of((span.label for raw in chosen for span in raw.spans), spec.labels, where)
    class_identifiers(classes, where)
    group_names = [_group_name(raw, spec.cv.group) for raw in chosen]
    groups = tuple(sorted(set(group_names)))
    dropped = dict.fromkeys((*segment.REASONS.values(), segment.LOST_FRAMES, segment.TOO_SHORT), 0)
    x, y, recording, end = [], [], [], []
    n_warming = n_bridged = 0
    recordings = []
    for number, raw in enumerate(chosen):
        bridged = bridge(raw, spec.recordings.bridge_s)
        n_bridged += len(raw.gaps) - len(bridged.gaps)
        seen = quantise(bridged, spec.pipeline)
        recordings.append(seen)
        windows = native.run(spec.pipeline, seen.samples, seen.gaps)
        class_idx = label_windows(seen, windows.end, classes, spec)
        kept = class_idx >= 0
        for code, reason in segment.REASONS.items():
            dropped[reason] += int((class_idx == code).sum())
        missing = segment.missing_windows(
            len(seen.samples), seen.gaps, spec.pipeline.window_len, spec.pipeline.hop_len
        )
        for reason, count in missing.items():
            dropped[reason] += count
        x.append(windows.features[kept])
        y.append(class_idx[kept])
        end.append(windows.end[kept])
        recording.append(np.full(int(kept.sum()), number))
        n_warming += int(windows.warming[kept].sum())
        if progress:
            progress(number + 1, len(chosen))
    _require_windows(y, classes, spec, recordings, dropped)
    groups_of = tuple(groups.index(name) for name in group_names)
    recording_of = np.concatenate(recording)
    return Dataset(
        x=np.concatenate(x),
        y=np.concatenate(y),
        group=np.array(groups_of)[recording_of],
        recording=recording_of,
        end=np.concatenate(end),
        classes=classes,
        groups=groups,
        groups_of=groups_of,
        recordings=tuple(recordings),
        dropped=dropped,
        n_warming=n_warming,
        n_bridged=n_bridged,
    )


def label_windows(
    recording: Recording, end: np.ndarray, classes: Sequence[str], spec: "TrainSpec"
) -> np.ndarray:
    """Class index of the windows that end at `end`, or the reason why not (segment.join)."""
    return segment.join(end, spec.pipeline.window_len, recording.spans, classes, spec.labels, spec.label_join)


def data_hash(recordings: Sequence[Recording]) -> str:
    """SHA-256, in hex, of what training sees of the recordings: samples, labels, gaps and groups; not file
    names."""
    whole = hashlib.sha256()
    for recording in recordings:
        one = hashlib.sha256(np.ascontiguousarray(recording.samples, dtype="<i2").tobytes())
        one.update(repr(recording.samples.shape).encode())
        one.update(repr((recording.subject, recording.recording)).encode())
        one.update(repr([tuple(Span(*span)) for span in recording.spans]).encode())
        one.update(repr([tuple(Gap(*gap)) for gap in recording.gaps]).encode())
        whole.update(one.digest())
    return whole.hexdigest()


def constant_features(x: np.ndarray, spec: "PipelineSpec") -> list[str]:
    """Names of the features that are the same in all windows x, (k, n_features)."""
    return [name for name, same in zip(spec.features, x.min(axis=0) == x.max(axis=0), strict=True) if same]


def saturated_features(x: np.ndarray, spec: "PipelineSpec", share: float = 0.001) -> dict[str, float]:
    """Features that stand at an end of int16 in more than `share` of the windows x, with that share."""
    info = np.iinfo(np.int16)
    at_end = ((x == info.max) | (x == info.min)).mean(axis=0)
    return {name: float(s) for name, s in zip(spec.features, at_end, strict=True) if s > share}


def _group_name(raw: RawRecording, group: str) -> str:
    if group == "recording":
        return f"{raw.subject}/{raw.recording}" if raw.recording else raw.name
    if not raw.subject:
        raise EmlearnError(
            "the subject of this recording is not known, and the spec groups by subject",
            raw.name,
            "name subjects in index.csv beside the recordings, or set cv: {group: recording}",
        )
    return raw.subject


def _require_windows(
    y: Sequence[np.ndarray],
    classes: Sequence[str],
    spec: "TrainSpec",
    recordings: Sequence[Recording],
    dropped: dict[str, int],
) -> None:
    window_len = spec.pipeline.window_len
    longest = max(len(recording.samples) for recording in recordings)
    if longest < window_len:
        raise EmlearnError(
            f"the window is {window_len} frames long, the longest recording {longest}",
            f"{spec.name}: window.len",
            "a shorter window, or longer recordings",
        )
    counts = np.bincount(np.concatenate(y), minlength=len(classes))
    for name, count in zip(classes, counts, strict=True):
        if count == 0:
            why = ", ".join(f"{reason}: {n}" for reason, n in dropped.items() if n)
            raise EmlearnError(
                f"no window carries the class '{name}' (windows dropped: {why})",
                f"{spec.name}: labels",
                "shorter windows, join: majority, or drop the label",
            )
