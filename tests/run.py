# SPDX-License-Identifier: Apache-2.0
"""All tests behind `make test` and `make soak`, with what was skipped, and why, in the last lines.

The closing line is `N passed, N failed, N skipped`; the exit code is 0 only if nothing failed. Every stage
runs in processes of its own, so a crash is a failure of that stage. Reports stand in build/test.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "test"
TOOLS_COVERAGE_MIN = 90.0

C_FOLDERS = ("include", "src", "tests", "samples", "bench")
C_SUFFIXES = {".c", ".h"}


@dataclass
class Outcome:
    """What a stage counted. skipped holds `what: why`, one a test. only_built: passed, but never ran."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    only_built: list[str] = field(default_factory=list)

    def add(self, name: str, ok: bool) -> None:
        """Count one check."""
        if ok:
            self.passed += 1
        else:
            self.failed.append(name)


def run(command: Sequence[str | Path], **environment: str) -> int:
    """Run a command from the root of the checkout, with its output on the terminal; its exit code."""
    print("$ " + " ".join(str(part) for part in command), flush=True)
    try:
        return subprocess.run(
            [str(part) for part in command], cwd=ROOT, env={**os.environ, **environment}, check=False
        ).returncode
    except OSError as error:
        print(error, flush=True)
        return 127


def tool(name: str) -> str | None:
    """A program of this environment, else of the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def lint(_: argparse.Namespace) -> Outcome:
    """ruff over Python, clang-format over C."""
    outcome = Outcome()
    ruff = tool("ruff")
    if ruff is None:
        outcome.skipped.append("ruff: not installed")
    else:
        outcome.add("ruff check", run([ruff, "check", "--quiet", "."]) == 0)
    clang_format = tool("clang-format")
    if clang_format is None:
        outcome.skipped.append("clang-format: not installed")
    else:
        files = sorted(
            path.relative_to(ROOT)
            for folder in C_FOLDERS
            for path in (ROOT / folder).rglob("*")
            if path.suffix in C_SUFFIXES
        )
        print(f"clang-format over {len(files)} files", flush=True)
        command = [clang_format, "--dry-run", "-Werror", *(str(path) for path in files)]
        outcome.add("clang-format", subprocess.run(command, cwd=ROOT, check=False).returncode == 0)
    return outcome


def read_junit(path: Path) -> Outcome:
    """Counts, failures and reasons for skipping from a JUnit XML file."""
    outcome = Outcome()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}".strip(".")
        skipped = case.find("skipped")
        if skipped is not None:
            outcome.skipped.append(f"{name}: {skipped.get('message') or skipped.text or 'no reason given'}")
        else:
            outcome.add(name, case.find("failure") is None and case.find("error") is None)
    return outcome


def python(args: argparse.Namespace) -> Outcome:
    """pytest over tests/python with coverage of emlearn_tools."""
    junit = WORK / "pytest.xml"
    data = WORK / "coverage"
    for old in WORK.glob("coverage*"):
        old.unlink()
    junit.unlink(missing_ok=True)
    profile = "soak" if args.soak else "default"
    environment = {"COVERAGE_FILE": str(data), "HYPOTHESIS_PROFILE": profile, "OMP_NUM_THREADS": "1"}
    if args.soak:
        environment["EMLEARN_SOAK"] = "1"
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "--durations=15"]
    code = run([*command, f"--junitxml={junit}", *args.pytest], **environment)
    if not junit.is_file():
        return Outcome(failed=[f"pytest ended with {code} and no results"])
    outcome = read_junit(junit)
    if code not in (0, 1) or (code == 1 and not outcome.failed):
        outcome.failed.append(f"pytest ended with {code}")
    if args.pytest:
        outcome.skipped.append("coverage of emlearn_tools: only a part of the tests was asked for")
        return outcome
    report = WORK / "coverage.json"
    run([sys.executable, "-m", "coverage", "combine", "--quiet"], **environment)
    # Tests run copies of the package too, from wheels and modules; what counts is the one in the checkout.
    here = "--include=scripts/west_commands/*"
    run([sys.executable, "-m", "coverage", "report", here], **environment)
    if run([sys.executable, "-m", "coverage", "json", "--quiet", here, "-o", report], **environment) != 0:
        outcome.failed.append("coverage of emlearn_tools: no figure")
        return outcome
    percent = json.loads(report.read_text(encoding="utf-8"))["totals"]["percent_covered"]
    outcome.add(
        f"coverage of emlearn_tools: {percent:.1f} %, wanted {TOOLS_COVERAGE_MIN} %",
        percent >= TOOLS_COVERAGE_MIN,
    )
    return outcome


def zephyr(args: argparse.Namespace) -> Outcome:
    """twister over the samples and tests/zephyr, where there is a Zephyr tree."""
    import zephyr_tier

    result = zephyr_tier.run(WORK / "twister", n_jobs=os.cpu_count() or 1, soak=args.soak)
    return Outcome(
        passed=len(result.executed) + len(result.built),
        failed=result.failed,
        skipped=result.skipped,
        only_built=result.built,
    )


Stage = Callable[[argparse.Namespace], Outcome]
STAGES: dict[str, Stage] = {"lint": lint, "python": python, "zephyr": zephyr}


def grouped(lines: Sequence[str]) -> list[str]:
    """Lines `test[parameter]: reason` that differ in the parameter alone as one line, with their number."""
    alike: dict[str, list[str]] = {}
    for line in map(one_line, lines):
        alike.setdefault(re.sub(r"\[[^\]]*\](?=: )", "[{} cases]", line, count=1), []).append(line)
    return [
        some[0] if len(some) == 1 else key.replace("{}", str(len(some)), 1) for key, some in alike.items()
    ]


def one_line(text: str) -> str:
    """Text without line breaks, so that a reason stays one line."""
    return " ".join(text.split())


def counts(outcome: Outcome) -> str:
    """The closing line."""
    return f"{outcome.passed} passed, {len(outcome.failed)} failed, {len(outcome.skipped)} skipped"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stages and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--soak", action="store_true", help="longer tests, and EMLEARN_DATA")
    parser.add_argument("--only", action="append", choices=sorted(STAGES), help="run this stage only")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    args = parser.parse_args(argv)
    WORK.mkdir(parents=True, exist_ok=True)
    total = Outcome()
    for name, stage in STAGES.items():
        if args.only and name not in args.only:
            continue
        print(f"\n=== {name}", flush=True)
        start = time.monotonic()
        try:
            outcome = stage(args)
        except Exception as error:
            outcome = Outcome(failed=[f"{name}: {type(error).__name__}: {error}"])
        print(f"=== {name}: {counts(outcome)} in {time.monotonic() - start:.0f} s", flush=True)
        total.passed += outcome.passed
        total.failed += outcome.failed
        total.skipped += outcome.skipped
        total.only_built += outcome.only_built
    print()
    for line in total.only_built:
        print(f"only built: {one_line(line)}")
    for line in total.failed:
        print(f"failed: {one_line(line)}")
    for line in grouped(total.skipped):
        print(f"skipped: {line}")
    print(counts(total))
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
