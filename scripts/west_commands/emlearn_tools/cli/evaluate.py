# SPDX-License-Identifier: Apache-2.0
"""`evaluate`: what a model is worth on recordings."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

DESCRIPTION = """\
Run recordings through the device's own C code and compare its decisions with their labels.

Windows are labelled as training labelled them. Scores are per window, before smoothing and after it. Use
recordings of people that the model was not trained on. Needs a C compiler once.
"""

EPILOG = """\
example:
  west emlearn evaluate model/har.json --data recordings/ --json scores.json
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a model on recordings",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, metavar="MODEL.json", help="a model that `train` wrote")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", action="append", required=True, help="recordings; may be repeated"
    )
    parser.add_argument(
        "--include", metavar="GLOB", action="append", default=[], help="only recordings whose name matches"
    )
    parser.add_argument(
        "--exclude", metavar="GLOB", action="append", default=[], help="no recordings whose name matches"
    )
    parser.add_argument(
        "--bridge",
        metavar="SECONDS",
        type=float,
        default=0.0,
        help="holes in time stamps up to this long are no lost frames (recordings.bridge_s of the spec)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report as JSON")


def run(args: argparse.Namespace) -> int:
    """Evaluate, print tables, write the report."""
    from emlearn_tools import artifact, recording
    from emlearn_tools.atomic import write_text
    from emlearn_tools.cli.console import console, progress
    from emlearn_tools.errors import EmlearnError
    from emlearn_tools.evaluate import evaluate
    from emlearn_tools.spec import RecordingRules

    try:
        rules = RecordingRules(tuple(args.include), tuple(args.exclude), args.bridge)
    except ValueError as error:
        raise EmlearnError(str(error), "--bridge") from error
    model = artifact.load(args.model)
    with progress("reading recordings") as advance:
        raws = recording.load(args.data, progress=advance)
    with progress("running the pipeline") as advance:
        report = evaluate(model, raws, rules, progress=advance)
    if args.json:
        write_text(args.json, json.dumps(report, indent=1, allow_nan=False) + "\n")
    _print(report, console())
    return 0


def _print(report: Mapping[str, Any], out: "Console") -> None:
    from emlearn_tools.evaluate import summary

    data, windows = report["data"], report["windows"]
    out.print(f"model {report['model']['name']} ({report['model']['digest'][:8]})")
    out.print(
        f"{data['recordings']} recordings, {data['subjects']} subjects, {data['minutes']:.1f} minutes, "
        f"{data['clipped_frames']} frames clipped"
    )
    reasons = [f"{reason} {n}" for reason, n in windows["dropped"].items() if n]
    out.print(
        f"{windows['used']} windows, {windows['warming']} of them while the filter settles; "
        f"left out: {', '.join(reasons) or 'none'}"
    )
    _print_confusion(report, out)
    _print_classes(report, out)
    _print_subjects(report, out)
    for warning in report["warnings"]:
        out.print(f"warning: {warning}", style="yellow")
    out.print(summary(report))


def _print_confusion(report: Mapping[str, Any], out: "Console") -> None:
    from rich.table import Table

    table = Table(title="windows before smoothing: rows true, columns predicted", title_justify="left")
    table.add_column("")
    for name in report["classes"]:
        table.add_column(name, justify="right")
    for name, row in zip(report["classes"], report["confusion"], strict=True):
        table.add_row(name, *(str(n) if n else "." for n in row))
    out.print(table)


def _print_classes(report: Mapping[str, Any], out: "Console") -> None:
    from rich.table import Table

    table = Table("class", title="by class", title_justify="left")
    for title in ("windows", "precision", "recall", "f1", "f1 smoothed"):
        table.add_column(title, justify="right")
    for before, after in zip(report["per_class"], report["smoothed"]["per_class"], strict=True):
        figures = (before["precision"], before["recall"], before["f1"], after["f1"])
        table.add_row(before["name"], str(before["support"]), *(f"{value:.3f}" for value in figures))
    out.print(table)


def _print_subjects(report: Mapping[str, Any], out: "Console") -> None:
    from rich.table import Table

    table = Table("subject", title="by subject", title_justify="left")
    for title in ("windows", "macro-F1", "accuracy", "macro-F1 smoothed", "accuracy smoothed"):
        table.add_column(title, justify="right")
    for row in report["per_subject"]:
        figures = ("macro_f1", "accuracy", "smoothed_macro_f1", "smoothed_accuracy")
        table.add_row(
            row["name"] or "(unknown)", str(row["windows"]), *(f"{row[key]:.3f}" for key in figures)
        )
    out.print(table)
