# SPDX-License-Identifier: Apache-2.0
"""Compile and run C in a test, with the project's own warnings as errors. Not a test file."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

WARNINGS = "-Wall -Wextra -Wconversion -Wshadow -Wcast-align -pedantic -Werror".split()

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
"""The C compilers that this machine has, of those that the project supports."""


def compile_c(compiler: str, sources: list[Path], output: Path, *flags: str) -> None:
    """Compile C99 to an executable, or to an object with -c; fails on any warning."""
    command = [compiler, "-std=c99", *WARNINGS, "-I", str(ROOT / "include"), *flags, "-o", str(output)]
    done = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def core_objects(compiler: str, folder: Path) -> list[Path]:
    """The whole core, compiled into `folder`."""
    objects = []
    for source in sorted((ROOT / "src" / "core").glob("*.c")):
        objects.append(folder / f"{source.stem}.o")
        compile_c(compiler, [source], objects[-1], "-c", "-O1")
    return objects
