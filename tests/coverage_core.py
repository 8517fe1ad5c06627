# SPDX-License-Identifier: Apache-2.0
"""Line coverage of src/core by the C unit tests and the golden vectors; exits 1 below the minimum."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))

from core_build import CORE, Toolchain, core_sources, run, test_sources  # noqa: E402

MINIMUM_PERCENT = 95.0
TOOLCHAIN = Toolchain("gcov", "gcc", ("--coverage", "-O0"))


class FileCoverage(NamedTuple):
    """Lines of one source file that hold code; of those, the numbers of the ones that never ran."""

    name: str
    n_lines: int
    missed: tuple[int, ...]


def percent(files: list[FileCoverage]) -> float:
    """Share of lines that ran, 0 to 100. Raises AssertionError if there are none."""
    n_lines = sum(file.n_lines for file in files)
    if n_lines == 0:
        raise AssertionError("gcov saw no line")
    return 100.0 * (1 - sum(len(file.missed) for file in files) / n_lines)


def missing() -> str:
    """Why coverage cannot be measured here; "" if it can."""
    return TOOLCHAIN.missing() or ("" if shutil.which("gcov") else "gcov is not installed")


def measure(folder: Path, tests: list[Path] | None = None) -> list[FileCoverage]:
    """Build in an empty folder, run the tests (default: all unit tests) and ask gcov. One entry a file."""
    core = TOOLCHAIN.core(folder)
    for source in test_sources() if tests is None else tests:
        run([TOOLCHAIN.program(source, core, folder)], folder)
    # Lines of a header with code stand in the report of every source that includes it.
    counts: dict[Path, dict[int, int]] = {source: {} for source in core_sources()}
    for source in core_sources():
        report = json.loads(run(["gcov", "--json-format", "--stdout", f"{source.stem}.gcda"], folder))
        for file in report["files"]:
            path = Path(file["file"])
            if path.parent == CORE:
                lines = counts.setdefault(path, {})
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[number] = lines.get(number, 0) + line["count"]
    return [
        FileCoverage(path.name, len(lines), tuple(sorted(n for n, count in lines.items() if count == 0)))
        for path, lines in sorted(counts.items())
    ]


def main() -> int:
    """Print a line a file and the total."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minimum", type=float, default=MINIMUM_PERCENT, metavar="PERCENT")
    minimum = parser.parse_args().minimum
    reason = missing()
    if reason:
        print(reason, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        files = measure(Path(folder))
    for file in files:
        print(f"{file.name:16} {percent([file]):6.1f} %  of {file.n_lines} lines, not {list(file.missed)}")
    total = percent(files)
    print(f"{'src/core':16} {total:6.1f} %  wanted {minimum:g} %")
    return 0 if total >= minimum else 1


if __name__ == "__main__":
    sys.exit(main())
