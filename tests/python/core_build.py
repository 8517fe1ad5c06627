# SPDX-License-Identifier: Apache-2.0
"""Build the C core and its unit tests with one compiler and one set of flags."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "core"
TESTS = ROOT / "tests" / "core"
VECTORS = ROOT / "tests" / "vectors"
INCLUDES = tuple(f"-I{folder}" for folder in (ROOT / "include", CORE, TESTS))
WARNINGS = tuple("-pedantic -Wall -Wextra -Wconversion -Wshadow -Wcast-align -Werror".split())
SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
)


@dataclass(frozen=True)
class Toolchain:
    """A compiler and how it is called; name is for test ids."""

    name: str
    compiler: str
    flags: tuple[str, ...]

    def missing(self) -> str:
        """Why this toolchain cannot be used here; "" if it can. Builds and runs an empty program."""
        if shutil.which(self.compiler) is None:
            return f"{self.compiler} is not installed"
        with tempfile.TemporaryDirectory() as folder:
            source, program = Path(folder) / "empty.c", Path(folder) / "empty"
            source.write_text("#include <stdint.h>\n#include <stdio.h>\nint main(void) { return 0; }\n")
            command = [self.compiler, *self.flags, str(source), "-o", str(program)]
            if subprocess.run(command, capture_output=True, check=False).returncode != 0:
                return f"{self.compiler} cannot build with {' '.join(self.flags)}"
            if subprocess.run([program], capture_output=True, check=False).returncode != 0:
                return f"programs built with {' '.join(self.flags)} do not run"
        return ""

    def compile(self, source: Path, folder: Path, *flags: str) -> Path:
        """An object of one C99 source file, warnings as errors. AssertionError with the compiler's words."""
        output = folder / f"{source.stem}.o"
        options = ["-std=c99", *WARNINGS, *flags, *INCLUDES, *self.flags]
        run([self.compiler, *options, "-c", str(source), "-o", str(output)], folder)
        return output

    def core(self, folder: Path) -> list[Path]:
        """Objects of the whole core."""
        return [self.compile(source, folder) for source in core_sources()]

    def program(self, source: Path, core: Sequence[Path], folder: Path, cases: Path = VECTORS) -> Path:
        """A unit test linked with the core; the test of golden vectors also with the cases of that folder."""
        if source.stem == "test_vectors":
            sources = [source, VECTORS / "vectors_run.c", cases / "vectors_cases.c"]
        else:
            sources = [source]
        flags = (f"-I{cases}", f"-I{VECTORS}")
        objects = [self.compile(path, folder, *flags) for path in sources]
        output = folder / source.stem
        run([self.compiler, *self.flags, *objects, *core, "-o", output], folder)
        return output


def core_sources() -> list[Path]:
    """All C files of the core."""
    return sorted(CORE.glob("*.c"))


def test_sources() -> list[Path]:
    """All unit tests."""
    return sorted(TESTS.glob("test_*.c"))


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command there; its output. Raises AssertionError with all it said if it fails."""
    environment = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout
