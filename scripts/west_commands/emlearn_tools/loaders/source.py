# SPDX-License-Identifier: Apache-2.0
"""What a loader finds: one file, or one part of an archive, that can be read into recordings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emlearn_tools.loaders.table import IndexEntry
from emlearn_tools.recording import RawRecording


def frame_place(raw: RawRecording, frame: int) -> str:
    """Return where a frame stands, for messages."""
    return f"{raw.source}: {raw.name}, frame {frame}"


@dataclass(frozen=True)
class Source:
    """One file with recordings, not read yet.

    name: relative, unique in one find. path: the file, for messages and to see one file named twice.
    read: return its recordings, in which values may be NaN; raises EmlearnError. place: where frame i of
    one of them stands, for messages. entry: what an index.csv says of the file, None if no index lists it.
    """

    name: str
    path: Path
    read: Callable[[], list[RawRecording]]
    place: Callable[[RawRecording, int], str] = frame_place
    entry: IndexEntry | None = None
