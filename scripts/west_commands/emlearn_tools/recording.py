# SPDX-License-Identifier: Apache-2.0
"""Recordings: what a file holds in physical units, and what the device would have seen of it.

Units are g (9.80665 m/s2, gravity included) and degrees per second. A frame is one sample of all channels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import AXES, PipelineSpec

NO_LABEL = ("", "unlabeled")
"""Labels that say that nobody labelled these frames."""

Progress = Callable[[int, int], None]
"""Called with (done, total) after each unit of long work."""


class Span(NamedTuple):
    """Frames start <= i < stop that carry one label."""

    start: int
    stop: int
    label: str


class Gap(NamedTuple):
    """n_lost frames (at least 1) are missing before `frame`."""

    frame: int
    n_lost: int


@dataclass(frozen=True)
class RawRecording:
    """One recording in physical units.

    name: relative to the folder it was found under (with that folder's own name), unique within one load.
    subject: the person, "" if unknown. recording: unique within a subject and device, "" if unknown.
    rate_hz: measured from the time stamps (see timestamps.measure).
    channels: of acc_x acc_y acc_z gyro_x gyro_y gyro_z, whole sensors in this order.
    values: (n, len(channels)) float64, g and degrees per second.
    spans: runs of equal labels, in order, covering all frames. gaps: in order of frame, frame > 0.
    source: the file, for messages only.
    """

    name: str
    subject: str
    recording: str
    rate_hz: float
    channels: tuple[str, ...]
    values: np.ndarray
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    source: Path

    @property
    def has_labels(self) -> bool:
        """Whether any frame is labelled."""
        return any(span.label not in NO_LABEL for span in self.spans)


@dataclass(frozen=True)
class Recording:
    """One recording as the device would see it: samples is (n, c) int16, C order, mounted, on the spec's
    grid.

    n_clipped: frames with a value beyond int16, held at the nearest end.
    """

    name: str
    subject: str
    recording: str
    rate_hz: float
    samples: np.ndarray
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    n_clipped: int


def load(paths: Sequence[Path], progress: Progress | None = None) -> list[RawRecording]:
    """Read every recording under `paths` (files, folders, .zip archives; see emlearn_tools.loaders), sorted
    by name.

    progress: called with (files read, files in all).

    Raises EmlearnError, naming file and line, if there is nothing to read, a file is damaged or not of a
    known form, a value is NaN or infinite, or the acceleration is clearly not in g.
    """
    from emlearn_tools import loaders, units

    sources = loaders.find(paths)
    recordings: list[RawRecording] = []
    for done, source in enumerate(sources, start=1):
        for raw in source.read():
            bad = first_not_finite(raw)
            if bad is not None:
                frame, channel = bad
                raise EmlearnError(
                    f"{channel} is not a finite number",
                    source.place(raw, frame),
                    "delete such lines; the hole in the time stamps is then treated as a gap",
                )
            units.require_g(raw)
            recordings.append(raw)
        if progress:
            progress(done, len(sources))
    return sorted(recordings, key=lambda raw: raw.name)


def first_not_finite(raw: RawRecording) -> tuple[int, str] | None:
    """Return (frame, channel) of the first NaN or infinity, or None."""
    bad = ~np.isfinite(raw.values)
    if not bad.any():
        return None
    frame, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return int(frame), raw.channels[int(column)]


def spans_of(labels: np.ndarray) -> tuple[Span, ...]:
    """Return the runs of equal labels of `labels`, (n,) str, n >= 0."""
    if len(labels) == 0:
        return ()
    starts = np.concatenate(([0], np.flatnonzero(labels[1:] != labels[:-1]) + 1))
    stops = np.append(starts[1:], len(labels))
    return tuple(Span(int(a), int(b), str(labels[a])) for a, b in zip(starts, stops, strict=True))


def labels_of(spans: Sequence[Span]) -> np.ndarray:
    """Return one label a frame, (n,) str: the inverse of spans_of."""
    if not spans:
        return np.empty(0, dtype=str)
    return np.repeat([span.label for span in spans], [span.stop - span.start for span in spans])


def quantise(raw: RawRecording, spec: PipelineSpec) -> Recording:
    """Return what a device with this spec's sensors, steps and mount would have seen.

    As in the chip, whose own axes see the grid: each chosen sensor is divided by its step in float64, rounded
    by floor(v + 0.5) and held within int16; then it is turned by the mount (output axis i is sign * source
    axis), where the opposite of -32768 is 32767.

    Raises EmlearnError if the recording lacks a sensor or its rate is outside of the spec's tolerance.
    """
    if not spec.accepts_rate(raw.rate_hz):
        wanted = f"{float(spec.rate_hz):.5g} Hz within {100 * spec.rate_tolerance:.3g} %"
        raise EmlearnError(
            f"runs at {raw.rate_hz:.5g} Hz, the spec wants {wanted}",
            raw.source,
            f"set rate to {raw.rate_hz:.4g} Hz in the spec, raise its tolerance, or resample the recording",
        )
    columns, signs = [], []
    for sensor in spec.sensors:
        names = [f"{sensor}_{axis}" for axis in AXES]
        missing = [name for name in names if name not in raw.channels]
        if missing:
            raise EmlearnError(
                f"has no {', '.join(missing)}", raw.source, f"take `{sensor}` out of the spec's sensors"
            )
        step = float(spec.acc_step if sensor == "acc" else spec.gyro_step)
        for axis, sign in spec.mount:
            columns.append(np.floor(raw.values[:, raw.channels.index(names[axis])] / step + 0.5))
            signs.append(sign)
    counts = np.stack(columns, axis=1)
    info = np.iinfo(np.int16)
    held = np.clip(counts, info.min, info.max)
    clipped = (held != counts).any(axis=1)
    samples = np.ascontiguousarray(np.minimum(held * signs, info.max).astype(np.int16))
    return Recording(
        name=raw.name,
        subject=raw.subject,
        recording=raw.recording,
        rate_hz=raw.rate_hz,
        samples=samples,
        spans=raw.spans,
        gaps=raw.gaps,
        n_clipped=int(clipped.sum()),
    )


def bridge(raw: RawRecording, seconds: float) -> RawRecording:
    """The recording without its gaps of up to `seconds`: its frames then follow each other there."""
    gaps = tuple(gap for gap in raw.gaps if gap.n_lost > seconds * raw.rate_hz)
    return replace(raw, gaps=gaps)


def resample(raw: RawRecording, rate_hz: float) -> RawRecording:
    """Return the recording at `rate_hz` (> 0): values by linear interpolation, labels of the nearest frame.

    Each piece between gaps is taken on its own, from its first frame to its last, so nothing is
    interpolated across a gap; a gap keeps its length in time, in frames of the new rate (at least 1).
    """
    if not rate_hz > 0:
        raise EmlearnError(f"cannot resample to {rate_hz} Hz", raw.source, "give a rate above 0")
    labels = labels_of(raw.spans)
    starts = [0, *(gap.frame for gap in raw.gaps)]
    stops = [*(gap.frame for gap in raw.gaps), len(raw.values)]
    ratio = raw.rate_hz / rate_hz
    values, chosen, gaps, n_done = [], [], [], 0
    for i, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        if i:
            gaps.append(Gap(n_done, max(1, round(raw.gaps[i - 1].n_lost / ratio))))
        n_out = int(np.floor((stop - start - 1) / ratio + 1e-9)) + 1
        position = np.minimum(np.arange(n_out) * ratio, stop - start - 1)
        frame = np.arange(stop - start)
        piece = raw.values[start:stop]
        values.append(np.stack([np.interp(position, frame, column) for column in piece.T], axis=1))
        chosen.append(labels[start + np.floor(position + 0.5).astype(int)])
        n_done += n_out
    return replace(
        raw,
        rate_hz=float(rate_hz),
        values=np.concatenate(values),
        spans=spans_of(np.concatenate(chosen)),
        gaps=tuple(gaps),
    )
