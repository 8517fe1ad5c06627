# SPDX-License-Identifier: Apache-2.0
"""A set of named files, from a folder or a .zip archive, so that loaders need not care which."""

import io
import zipfile
from pathlib import Path, PurePosixPath

from emlearn_tools.errors import EmlearnError


class Folder:
    """The files under a folder, or one file alone. `names` are relative, with `/`, sorted; hidden files are
    left out.

    A file's own folder is its root, so that an index.csv beside it is found; `names` then holds that file
    only.
    """

    def __init__(self, path: Path) -> None:
        self.root = path if path.is_dir() else path.parent
        self.path = path
        found = path.rglob("*") if path.is_dir() else [path]
        names = [file.relative_to(self.root) for file in found if file.is_file()]
        self.names = sorted(name.as_posix() for name in names if not _hidden(name.as_posix()))

    def has(self, name: str) -> bool:
        """Whether a file of that name can be read, listed or not."""
        return (self.root / name).is_file()

    def read(self, name: str) -> bytes:
        """Return the content of one file."""
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise EmlearnError(f"cannot be read ({error.strerror})", self.where(name)) from None

    def where(self, name: str) -> Path:
        """The file's place for messages."""
        return self.root / name


class Zip:
    """The files in a .zip archive; an archive that holds nothing but one other .zip (and texts) stands for
    that."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
            self.names = self._list()
            inner = [name for name in self.names if name.lower().endswith(".zip")]
            if len(inner) == 1 and all("/" not in name for name in self.names):
                self._archive = zipfile.ZipFile(io.BytesIO(self._archive.read(inner[0])))
                self.names = self._list()
        except (OSError, zipfile.BadZipFile) as error:
            raise EmlearnError(
                f"is not a readable .zip archive ({error})", path, "download it again"
            ) from None

    def _list(self) -> list[str]:
        names = [info.filename for info in self._archive.infolist() if not info.is_dir()]
        return sorted(name for name in names if not _hidden(name))

    def has(self, name: str) -> bool:
        """Whether the archive holds that file."""
        return name in self.names

    def read(self, name: str) -> bytes:
        """Return the content of one file."""
        try:
            return self._archive.read(name)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise EmlearnError(
                f"cannot be unpacked ({error})", self.where(name), "download it again"
            ) from None

    def where(self, name: str) -> Path:
        """The file's place for messages."""
        return self.path / name


Files = Folder | Zip


def open_files(path: Path) -> Files:
    """Return the files of a folder, a .zip, or a single file. Raises EmlearnError if there is nothing at
    `path`."""
    if not path.exists():
        raise EmlearnError("no such file or folder", path)
    if path.is_file() and path.suffix.lower() == ".zip":
        return Zip(path)
    return Folder(path)


def text_of(files: Files, name: str) -> str:
    """Return a file as text: UTF-8, with or without a byte order mark."""
    try:
        text = files.read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EmlearnError(
            f"is not UTF-8 text (byte {error.start})", files.where(name), "save it as UTF-8"
        ) from None
    if text.startswith("version https://git-lfs.github.com/"):
        raise EmlearnError("is a Git LFS pointer, not the data", files.where(name), "run git lfs pull")
    return text


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
