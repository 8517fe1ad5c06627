# SPDX-License-Identifier: Apache-2.0
"""The common CSV form: one file a recording, one line a frame, a header line."""

import csv
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders.files import Files, text_of
from emlearn_tools.loaders.source import Source
from emlearn_tools.loaders.table import (
    INDEX_NAME,
    IndexEntry,
    Indexes,
    channels_in,
    from_columns,
    require_time,
)
from emlearn_tools.recording import RawRecording, labels_of


def sources(files: Files, prefix: str) -> list[Source]:
    """Return the .csv files, but for indexes."""
    indexes = Indexes(files)
    found = []
    for file_name in files.names:
        path = PurePosixPath(file_name)
        if path.suffix.lower() == ".csv" and path.name != INDEX_NAME:
            entry = indexes.entry(file_name)
            name = f"{prefix}/{file_name}"
            reader = partial(_read, files, file_name, name, entry or IndexEntry())
            place = partial(_place, files, file_name)
            found.append(Source(name, files.where(file_name), reader, place, entry))
    return found


def _read(files: Files, file_name: str, name: str, entry: IndexEntry) -> list[RawRecording]:
    """Read one file; the errors name the line."""
    where = files.where(file_name)
    lines = [line for line in text_of(files, file_name).splitlines() if line and not line.isspace()]
    if not lines:
        raise EmlearnError("is empty", where, "record again, or delete the file")
    columns = [column.strip().lower() for column in next(csv.reader(lines[:1]))]
    if len(columns) == 1 and ";" in columns[0]:
        raise EmlearnError("fields are separated by `;`", where, "save it with commas, and points in numbers")
    repeated = sorted({column for column in columns if columns.count(column) > 1 and column})
    if repeated:
        raise EmlearnError(f"column {repeated[0]} is there twice", where)
    require_time(columns, where)
    channels = channels_in(columns, where)
    if len(lines) == 1:
        raise EmlearnError("has a header and no frames", where, "record again, or delete the file")
    numeric = ("time", *channels)
    label = columns.index("label") if "label" in columns else None
    try:
        table = np.loadtxt(
            lines[1:],
            delimiter=",",
            comments=None,
            quotechar='"',
            ndmin=2,
            usecols=[columns.index(column) for column in numeric],
        )
        labels = None
        if label is not None:
            labels = np.loadtxt(
                lines[1:], delimiter=",", comments=None, quotechar='"', ndmin=1, dtype=str, usecols=label
            )
    except ValueError as error:
        raise _explain(files, file_name, columns, numeric, str(error)) from None
    if len(table) != len(lines) - 1:
        hint = "put each frame on a line of its own, and no line break in a label"
        raise EmlearnError("a quoted field spans several lines", where, hint)
    bad_time = np.flatnonzero(~np.isfinite(table[:, 0]))
    if len(bad_time):
        raise EmlearnError("time is not a finite number", _place(files, file_name, None, int(bad_time[0])))
    if labels is not None:
        labels = np.char.strip(labels)
    values = np.ascontiguousarray(table[:, 1:])
    return [from_columns(name, entry, channels, table[:, 0], values, labels, where)]


def _place(files: Files, file_name: str, _raw: RawRecording | None, frame: int) -> str:
    """Return file:line of a frame."""
    lines = text_of(files, file_name).splitlines()
    numbers = [number for number, line in enumerate(lines, start=1) if line and not line.isspace()]
    return f"{files.where(file_name)}:{numbers[frame + 1]}"


def _explain(
    files: Files, file_name: str, columns: list[str], numeric: tuple[str, ...], message: str
) -> EmlearnError:
    """Find the first field that cannot be read: the slow path, after the fast one has failed."""
    where = files.where(file_name)
    for number, line in enumerate(text_of(files, file_name).splitlines(), start=1):
        if number == 1 or not line or line.isspace():
            continue
        fields = next(csv.reader([line]))
        if len(fields) < len(columns):
            return EmlearnError(
                f"{len(fields)} fields, the header has {len(columns)}",
                f"{where}:{number}",
                "was the file cut short?",
            )
        for column in numeric:
            field = fields[columns.index(column)].strip()
            try:
                float(field)
            except ValueError:
                found = f"{field[:40]!r}, not a number" if field else "empty"
                return EmlearnError(f"{column} is {found}", f"{where}:{number}", "correct or delete the line")
    return EmlearnError(f"cannot be read ({message})", where)


def text_of_recording(raw: RawRecording) -> str:
    """Return a recording as the text of a CSV file; `time` has as many frames left out at a gap as were lost.

    The column `label` is left out if no frame has a label.
    """
    steps = np.ones(len(raw.values))
    steps[0] = 0
    for gap in raw.gaps:
        steps[gap.frame] += gap.n_lost
    columns = [[f"{seconds:.6f}" for seconds in np.cumsum(steps) / raw.rate_hz]]
    for name, column in zip(raw.channels, raw.values.T, strict=True):
        columns.append([f"{value:.{6 if name.startswith('acc') else 4}f}" for value in column])
    header = ["time", *raw.channels]
    labels = labels_of(raw.spans)
    if (labels != "").any():
        header.append("label")
        columns.append(labels.tolist())
    return "\n".join(",".join(row) for row in [header, *zip(*columns, strict=True)]) + "\n"
