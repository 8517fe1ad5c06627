# SPDX-License-Identifier: Apache-2.0
"""`check`: what is wrong with recordings."""

import argparse
import json
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from emlearn_tools.errors import EmlearnError

if TYPE_CHECKING:
    from rich.console import Console

    from emlearn_tools.check import Finding, Report

SHOWN_FINDINGS = 20


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check",
        help="look for what is wrong with recordings",
        description="Read recordings and report rate, gaps, NaN, units, clipping, classes and subjects. "
        "Exit code 1 if there are errors; warnings do not fail.",
        epilog="example: check recordings/ --json > check.json",
    )
    parser.add_argument(
        "paths", metavar="DIR|FILE", type=Path, nargs="+", help="recordings or folders of them"
    )
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")


def run(args: argparse.Namespace) -> int:
    """Check and print."""
    from emlearn_tools.check import check

    report = check(args.paths)
    if args.json:
        print(json.dumps(report.to_json(), indent=1))
    else:
        _print(report)
    return 1 if report.errors else 0


def _print(report: "Report") -> None:
    try:
        from rich.console import Console
    except ImportError:
        raise EmlearnError("the package rich is missing", hint="pip install rich, or use --json") from None
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, emoji=False, width=110)
    if report.recordings:
        _print_folders(report, console)
        _print_labels(report, console)
    for title, style, findings in (("error", "red", report.errors), ("warning", "yellow", report.warnings)):
        _print_findings(title, style, findings, console)
    persons = len({item.subject for item in report.recordings if item.subject})
    console.print(
        f"{len(report.recordings)} recordings, {persons} known subjects, "
        f"{len(report.errors)} errors, {len(report.warnings)} warnings"
    )


def _print_folders(report: "Report", console: "Console") -> None:
    from rich.table import Table

    folders = defaultdict(list)
    for item in report.recordings:
        folders[str(PurePosixPath(item.name).parent)].append(item)
    table = Table(title="Recordings")
    table.add_column("folder", overflow="fold")
    for column in ("files", "subjects", "minutes", "rate Hz", "sensors", "gaps", "NaN", "|acc| g", "clipped"):
        table.add_column(column, justify="right")
    for folder, items in folders.items():
        sensors = sorted({" ".join(sorted({name.split("_")[0] for name in item.channels})) for item in items})
        medians = [item.median_acc for item in items if item.median_acc is not None]
        table.add_row(
            folder,
            str(len(items)),
            str(len({item.subject for item in items if item.subject})),
            f"{sum(item.duration_s for item in items) / 60:.1f}",
            _range([item.rate_hz for item in items], 4),
            ", ".join(sensors),
            str(sum(item.n_gaps for item in items)),
            str(sum(item.n_not_finite for item in items)),
            _range(medians, 3) if medians else "",
            f"{100 * sum(item.n_clipped for item in items) / sum(item.n_frames for item in items):.2f} %",
        )
    console.print(table)


def _print_labels(report: "Report", console: "Console") -> None:
    from rich.table import Table

    seconds = report.seconds_by_label()
    total = sum(sum(by_subject.values()) for by_subject in seconds.values())
    groups = {key for by_subject in seconds.values() for key in by_subject}
    table = Table(title="Classes")
    table.add_column("label", overflow="fold")
    for column in ("minutes", "share", "subjects"):
        table.add_column(column, justify="right")
    for label, by_subject in seconds.items():
        length = sum(by_subject.values())
        persons = f"{len(by_subject)} of {len(groups)}"
        table.add_row(label or "(no label)", f"{length / 60:.1f}", f"{100 * length / total:.1f} %", persons)
    console.print(table)


def _print_findings(title: str, style: str, findings: "tuple[Finding, ...]", console: "Console") -> None:
    for finding in findings[:SHOWN_FINDINGS]:
        where = f"{finding.where}: " if finding.where else ""
        console.print(f"{title}: {where}{finding.what}", style=style, soft_wrap=True)
        if finding.hint:
            console.print(f"  try: {finding.hint}", soft_wrap=True)
    if len(findings) > SHOWN_FINDINGS:
        console.print(f"... and {len(findings) - SHOWN_FINDINGS} more {title}s, all with --json", style=style)


def _range(values: list[float], digits: int) -> str:
    low, high = (f"{value:.{digits}g}" for value in (min(values), max(values)))
    return low if low == high else f"{low}-{high}"
