# SPDX-License-Identifier: Apache-2.0
"""Recordings in numpy's own files, without pickle.

NPY: a structured array (n,) with the columns of the CSV form as fields, as numpy.genfromtxt(names=True)
makes it. NPZ: arrays `acc` (n, 3) in g and/or `gyro` (n, 3) in degrees/s; `time` (n,) in s or the number
`rate_hz`; optionally `label` (n,), and the texts `subject` and `recording`.
"""

import io
import zipfile
import zlib
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders.files import Files
from emlearn_tools.loaders.source import Source
from emlearn_tools.loaders.table import IndexEntry, Indexes, channels_in, from_columns, require_time
from emlearn_tools.recording import RawRecording
from emlearn_tools.spec import AXES
from emlearn_tools.steps import SENSORS

NPZ_NAMES = ("acc", "gyro", "time", "rate_hz", "label", "subject", "recording")


def sources(files: Files, prefix: str) -> list[Source]:
    """Return the .npy and .npz files."""
    indexes = Indexes(files)
    found = []
    for file_name in files.names:
        if PurePosixPath(file_name).suffix.lower() in (".npy", ".npz"):
            entry = indexes.entry(file_name)
            name = f"{prefix}/{file_name}"
            reader = partial(_read, files, file_name, name, entry or IndexEntry())
            found.append(Source(name, files.where(file_name), reader, entry=entry))
    return found


def _read(files: Files, file_name: str, name: str, entry: IndexEntry) -> list[RawRecording]:
    where = files.where(file_name)
    try:
        content = np.load(io.BytesIO(files.read(file_name)), allow_pickle=False)
        arrays = {key: content[key] for key in content.files} if hasattr(content, "files") else content
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise EmlearnError(
            f"is not a readable numpy file ({error})", where, "pickled objects are not read"
        ) from None
    return [(_from_npz if isinstance(arrays, dict) else _from_npy)(arrays, name, entry, where)]


def _from_npy(table: np.ndarray, name: str, entry: IndexEntry, where: object) -> RawRecording:
    if table.dtype.names is None or table.ndim != 1:
        raise EmlearnError(
            f"holds a plain array of shape {table.shape}, not named columns",
            where,
            "save a structured array with fields time, acc_x, ..., or use .npz with acc and rate_hz",
        )
    require_time(table.dtype.names, where)
    channels = channels_in(table.dtype.names, where)
    values = np.stack([_floats(table[channel], channel, where) for channel in channels], axis=1)
    labels = _labels(table["label"], where) if "label" in table.dtype.names else None
    return from_columns(name, entry, channels, _floats(table["time"], "time", where), values, labels, where)


def _from_npz(arrays: dict[str, np.ndarray], name: str, entry: IndexEntry, where: object) -> RawRecording:
    sensors = [sensor for sensor in SENSORS if sensor in arrays]
    if not sensors or ("time" in arrays) == ("rate_hz" in arrays):
        raise EmlearnError(
            f"holds {', '.join(arrays) or 'nothing'}",
            where,
            f"save acc and/or gyro, and time or rate_hz; of {NPZ_NAMES}",
        )
    parts = [_floats(arrays[sensor], sensor, where) for sensor in sensors]
    n = len(parts[0]) if parts[0].ndim else 0
    for sensor, part in zip(sensors, parts, strict=True):
        if part.shape != (n, 3):
            raise EmlearnError(f"{sensor} has the shape {part.shape}, not ({n}, 3)", where, "one row a frame")
    if "time" in arrays:
        time_s = _floats(arrays["time"], "time", where)
    else:
        rate_hz = _floats(arrays["rate_hz"], "rate_hz", where)
        if rate_hz.size != 1 or not float(rate_hz.item()) > 0:
            raise EmlearnError("rate_hz is not one number above 0", where)
        time_s = np.arange(n) / float(rate_hz.item())
    labels = _labels(arrays["label"], where) if "label" in arrays else None
    for key, array in (("time", time_s), ("label", labels)):
        if array is not None and array.shape != (n,):
            raise EmlearnError(f"{key} has the shape {array.shape}, not ({n},)", where, "one entry a frame")
    own = IndexEntry(*(str(arrays[key]).strip() if key in arrays else "" for key in ("subject", "recording")))
    known = IndexEntry(own.subject or entry.subject, own.recording or entry.recording, entry.rate_hz)
    channels = tuple(f"{sensor}_{axis}" for sensor in sensors for axis in AXES)
    return from_columns(name, known, channels, time_s, np.concatenate(parts, axis=1), labels, where)


def _floats(array: np.ndarray, key: str, where: object) -> np.ndarray:
    if array.dtype.kind not in "iuf":
        raise EmlearnError(f"{key} is of type {array.dtype}, not numbers", where)
    return array.astype(np.float64)


def _labels(array: np.ndarray, where: object) -> np.ndarray:
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind not in "Uiub":
        raise EmlearnError(f"label is of type {array.dtype}, not text or whole numbers", where)
    return array.astype(str)
