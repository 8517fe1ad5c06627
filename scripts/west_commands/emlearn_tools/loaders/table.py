# SPDX-License-Identifier: Apache-2.0
"""From named columns to a RawRecording, and the index of a folder that says whose recording it is."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from emlearn_tools import timestamps
from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders.files import Files, text_of
from emlearn_tools.recording import Gap, RawRecording, spans_of
from emlearn_tools.spec import AXES
from emlearn_tools.steps import SENSORS

INDEX_NAME = "index.csv"


@dataclass(frozen=True)
class IndexEntry:
    """What an index says of one recording: "" and None where it says nothing."""

    subject: str = ""
    recording: str = ""
    rate_hz: float | None = None


def channels_in(columns: Sequence[str], where: object) -> tuple[str, ...]:
    """Return the channels of the sensors whose three axes are among `columns`, in canonical order.

    Raises EmlearnError if a sensor lacks an axis or there is no sensor.
    """
    channels: list[str] = []
    for sensor in SENSORS:
        names = [f"{sensor}_{axis}" for axis in AXES]
        missing = [name for name in names if name not in columns]
        if not missing:
            channels += names
        elif len(missing) < len(names):
            raise EmlearnError(f"column {', '.join(missing)} is missing", where, _columns_hint(columns))
    if not channels:
        raise EmlearnError("columns acc_x, acc_y, acc_z are missing", where, _columns_hint(columns))
    return tuple(channels)


def require_time(columns: Sequence[str], where: object) -> None:
    """Raise EmlearnError if there is no column `time`."""
    if "time" not in columns:
        raise EmlearnError("column time is missing", where, _columns_hint(columns))


def _columns_hint(columns: Sequence[str]) -> str:
    found = ", ".join(columns)
    return f"the header is time,acc_x,acc_y,acc_z[,gyro_x,gyro_y,gyro_z][,label]; found {found[:120]}"


def from_columns(
    name: str,
    entry: IndexEntry,
    channels: tuple[str, ...],
    time_s: np.ndarray,
    values: np.ndarray,
    labels: np.ndarray | None,
    source: Path,
) -> RawRecording:
    """Build a recording. time_s: (n,) finite; values: (n, len(channels)); labels: (n,) str or None for
    unlabelled."""
    rate_hz, gaps = timestamps.measure(time_s, str(source))
    return RawRecording(
        name=name,
        subject=entry.subject,
        recording=entry.recording,
        rate_hz=rate_hz,
        channels=channels,
        values=values,
        spans=spans_of(labels if labels is not None else np.full(len(values), "")),
        gaps=tuple(Gap(*gap) for gap in gaps),
        source=source,
    )


def read_index(files: Files, name: str) -> dict[str, IndexEntry]:
    """Return what the index file `name` says of each file, by the file's name relative to the same root.

    Raises EmlearnError if it lacks the column `file` or a rate is not a number.
    """
    reader = csv.DictReader(io.StringIO(text_of(files, name)))
    fields = [field.strip() for field in reader.fieldnames or []]
    if "file" not in fields:
        raise EmlearnError(
            "column file is missing", files.where(name), "the header is file,subject,recording,..."
        )
    reader.fieldnames = fields
    folder = PurePosixPath(name).parent
    entries = {}
    for row in reader:
        rate = (row.get("samplerate_hz") or "").strip()
        try:
            rate_hz = float(rate) if rate else None
        except ValueError:
            raise EmlearnError(
                f"samplerate_hz is {rate!r}, not a number", f"{files.where(name)}:{reader.line_num}"
            ) from None
        subject, recording = ((row.get(key) or "").strip() for key in ("subject", "recording"))
        entries[(folder / (row["file"] or "").strip()).as_posix()] = IndexEntry(subject, recording, rate_hz)
    return entries


def index_text(recordings: Sequence[RawRecording], dataset: str, device: str) -> str:
    """Return the text of the index.csv of recordings whose names are file names in its folder."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = "file dataset subject recording device samplerate_hz samples duration_s acc_unit gyro_unit"
    writer.writerow([*fields.split(), "labels"])
    for raw in recordings:
        n_frames = Counter[str]()
        for span in raw.spans:
            n_frames[span.label] += span.stop - span.start
        labels = " ".join(f"{label}:{n}" for label, n in n_frames.most_common())
        units = ["g" if "acc_x" in raw.channels else "", "dps" if "gyro_x" in raw.channels else ""]
        n = len(raw.values)
        rate, duration = f"{raw.rate_hz:g}", f"{n / raw.rate_hz:.2f}"
        writer.writerow(
            [raw.name, dataset, raw.subject, raw.recording, device, rate, n, duration, *units, labels]
        )
    return text.getvalue()


class Indexes:
    """The index.csv files of one root: an entry is looked for beside the file, then in the folders above
    it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._read: dict[str, dict[str, IndexEntry]] = {}

    def absent(self) -> list[str]:
        """Places of files that the indexes of this root list and that are not there."""
        indexes = [name for name in self._files.names if PurePosixPath(name).name == INDEX_NAME]
        listed = dict.fromkeys(file for index in indexes for file in self._entries(index))
        return [str(self._files.where(file)) for file in listed if not self._files.has(file)]

    def entry(self, name: str) -> IndexEntry | None:
        """Return what is known of the file `name`, None if no index lists it."""
        for folder in PurePosixPath(name).parents:
            index = (folder / INDEX_NAME).as_posix()
            if not self._files.has(index):
                continue
            entry = self._entries(index).get(name)
            if entry is not None:
                return entry
        return None

    def _entries(self, index: str) -> dict[str, IndexEntry]:
        if index not in self._read:
            self._read[index] = read_index(self._files, index)
        return self._read[index]
