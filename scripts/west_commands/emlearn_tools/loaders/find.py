# SPDX-License-Identifier: Apache-2.0
"""What can be read under some paths, without reading it yet."""

from collections.abc import Sequence
from pathlib import Path

from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders import csv_table, numpy_files, uci_hapt, uci_har, wisdm
from emlearn_tools.loaders.files import open_files
from emlearn_tools.loaders.source import Source
from emlearn_tools.loaders.table import INDEX_NAME, Indexes

LOADERS = (csv_table, numpy_files, uci_hapt, uci_har, wisdm)
"""Each has sources(files, prefix): what it can read among the files of one root, named prefix/..."""


def find(paths: Sequence[Path]) -> list[Source]:
    """Return the sources under files, folders and .zip archives, sorted by name, each file once.

    Raises EmlearnError if a path does not exist or holds no recording, or an archive's structure is damaged.
    """
    paths = [Path(path) for path in paths]
    if not paths:
        raise EmlearnError("no recordings given", hint="name files or folders")
    sources: dict[Path, Source] = {}
    for path, prefix in zip(paths, _prefixes(paths), strict=True):
        files = open_files(path)
        found = [source for loader in LOADERS for source in loader.sources(files, prefix)]
        if not found:
            listed = Indexes(files).absent()
            hint = "name .csv, .npy or .npz files, or a data set's original archive"
            if listed:
                hint = f"fetch what {INDEX_NAME} lists and is not there, such as {listed[0]}"
            raise EmlearnError("no recordings found", path, hint)
        for source in found:
            sources.setdefault(source.path.resolve(), source)
    return sorted(sources.values(), key=lambda source: source.name)


def absent(paths: Sequence[Path]) -> list[str]:
    """Return the places of files that index.csv files under `paths` list and that are not there."""
    return [place for path in paths for place in Indexes(open_files(Path(path))).absent()]


def _prefixes(paths: Sequence[Path]) -> list[str]:
    """One short name a path: the last part of its folder's path, or as many parts as tell the folders
    apart."""
    archives = [path.is_dir() or path.suffix.lower() == ".zip" for path in paths]
    roots = [path if is_root else path.parent for path, is_root in zip(paths, archives, strict=True)]
    parts = [root.resolve().parts for root in roots]
    length = 1
    while len({part[-length:] for part in parts}) < len(set(parts)):
        length += 1
    return ["/".join(part[-length:]).lstrip("/") for part in parts]
