# SPDX-License-Identifier: Apache-2.0
"""What can be read under some paths, without reading it yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders import csv_table
from emlearn_tools.loaders.files import Files, open_files
from emlearn_tools.loaders.table import INDEX_NAME, IndexEntry, Indexes
from emlearn_tools.recording import RawRecording


@dataclass(frozen=True)
class Source:
    """One file with recordings.

    name: relative, unique in one find. read: returns its recordings, in which values may be NaN; raises
    EmlearnError. place: where frame i of a recording stands, for messages. entry: what an index says of it,
    None if not listed.
    """

    name: str
    read: Callable[[], list[RawRecording]]
    place: Callable[[int], str]
    entry: IndexEntry | None


def find(paths: Sequence[Path]) -> list[Source]:
    """Return the sources under files, folders and .zip archives, sorted by name, each file once.

    Raises EmlearnError if a path does not exist or holds no recording.
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise EmlearnError("no recordings given", hint="name files or folders")
    sources: dict[Path, Source] = {}
    for path, prefix in zip(paths, _prefixes(paths), strict=True):
        files = open_files(path)
        found = _sources(files, prefix)
        if not found:
            raise EmlearnError(
                "no recordings found",
                path,
                "a folder of .csv, .npy or .npz, or an original archive of a data set",
            )
        for file_name, source in found:
            sources.setdefault(files.where(file_name).resolve(), source)
    return sorted(sources.values(), key=lambda source: source.name)


def _sources(files: Files, prefix: str) -> list[tuple[str, Source]]:
    indexes = Indexes(files)
    found = []
    for file_name in files.names:
        path = PurePosixPath(file_name)
        if path.suffix.lower() == ".csv" and path.name != INDEX_NAME:
            name = f"{prefix}/{file_name}"
            entry = indexes.entry(file_name)
            found.append(
                (
                    file_name,
                    Source(
                        name,
                        partial(_read_csv, files, file_name, name, entry),
                        partial(csv_table.place, files, file_name),
                        entry,
                    ),
                )
            )
    return found


def _read_csv(files: Files, file_name: str, name: str, entry: IndexEntry | None) -> list[RawRecording]:
    return [csv_table.read(files, file_name, name, entry or IndexEntry())]


def _prefixes(paths: Sequence[Path]) -> list[str]:
    """One short name a path, from the end of its folder's path: one part, or as many as tell the folders
    apart."""
    roots = [
        (path if path.is_dir() else path if path.suffix.lower() == ".zip" else path.parent) for path in paths
    ]
    parts = [root.resolve().parts for root in roots]
    for length in range(1, max(len(part) for part in parts) + 1):
        names = ["/".join(part[-length:]).lstrip("/") for part in parts]
        if len(set(names)) == len(set(parts)):
            break
    return names
