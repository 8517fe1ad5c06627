# SPDX-License-Identifier: Apache-2.0
"""Where on this machine a Zephyr tree is. Standard library only."""

import configparser
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Tree(NamedTuple):
    """A Zephyr tree: its folder, its version, such as (4, 3, 0), and where the hint to it came from."""

    base: Path
    version: tuple[int, int, int]
    found_by: str


def find(start: Path, environ: Mapping[str, str] | None = None) -> Tree | None:
    """The tree that a build would use: $ZEPHYR_BASE, else that of the west workspace around `start`, else the
    newest one that `west zephyr-export` registered with CMake. None if there is none.

    environ: default os.environ. A hint that leads nowhere is passed over.
    """
    environ = os.environ if environ is None else environ
    if environ.get("ZEPHYR_BASE"):
        tree = _tree(Path(environ["ZEPHYR_BASE"]), "ZEPHYR_BASE")
        if tree:
            return tree
    tree = _of_workspace(start)
    if tree:
        return tree
    registered = [tree for base in _registered(environ) if (tree := _tree(base, "CMake's package registry"))]
    return max(registered, key=lambda tree: (tree.version, str(tree.base)), default=None)


def _tree(base: Path, found_by: str) -> Tree | None:
    """The tree in `base` if it is one."""
    try:
        text = (base / "VERSION").read_text(encoding="utf-8")
    except OSError:
        return None
    numbers = dict(re.findall(r"^(VERSION_MAJOR|VERSION_MINOR|PATCHLEVEL)\s*=\s*(\d+)", text, re.MULTILINE))
    if len(numbers) != 3 or not (base / "cmake" / "modules").is_dir():
        return None
    version = (int(numbers["VERSION_MAJOR"]), int(numbers["VERSION_MINOR"]), int(numbers["PATCHLEVEL"]))
    return Tree(base.resolve(), version, found_by)


def _of_workspace(start: Path) -> Tree | None:
    """The tree of the innermost west workspace around `start`."""
    for folder in (start.resolve(), *start.resolve().parents):
        file = folder / ".west" / "config"
        if file.is_file():
            config = configparser.ConfigParser(interpolation=None)
            try:
                config.read_string(file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, configparser.Error):
                return None
            return _tree(folder / config.get("zephyr", "base", fallback="zephyr"), "the west workspace")
    return None


def _registered(environ: Mapping[str, str]) -> list[Path]:
    """Trees in CMake's user package registry: each file there holds the path of a folder of package files."""
    home = Path(environ.get("HOME") or Path.home())
    bases = []
    for file in sorted((home / ".cmake" / "packages" / "Zephyr").glob("*")):
        try:
            package = Path(file.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError):
            continue
        # ZEPHYR_BASE/share/zephyr-package/cmake
        if len(package.parents) > 2:
            bases.append(package.parents[2])
    return bases
