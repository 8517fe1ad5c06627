# SPDX-License-Identifier: Apache-2.0
"""`replay`: recordings through the C pipeline, decision by decision."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emlearn_tools.errors import EmlearnError

if TYPE_CHECKING:
    from emlearn_tools.artifact import Model
    from emlearn_tools.recording import Recording
    from emlearn_tools.replay import Mount

DESCRIPTION = """\
Stream recordings through the device's own C code and print each decision as firmware prints it
(docs/format.md), with the true label beside it and `*` where the two differ. Lines that begin with `#` are
not decisions.

With --rotate: instead, how decisions change if the device is turned, in all 24 ways along its axes.
Needs a C compiler once.
"""

EPILOG = """\
example:
  west emlearn replay model/har.json recordings/p1_walk.csv --chunk 32
  west emlearn replay model/har.json recordings/p1_walk.csv --mount=-y,x,z
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "replay",
        help="decisions on a recording, line by line",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, metavar="MODEL.json", help="a model that `train` wrote")
    parser.add_argument("recordings", type=Path, metavar="RECORDING", nargs="+", help="files or folders")
    turned = parser.add_mutually_exclusive_group()
    turned.add_argument("--rotate", action="store_true", help="compare all 24 mounts of the device")
    turned.add_argument(
        "--mount",
        metavar="X,Y,Z",
        help="turn the device: its axes as those of the recording, for example --mount=-y,x,z",
    )
    parser.add_argument(
        "--chunk",
        type=_positive,
        metavar="N",
        help="frames a push (all); decisions stay the same",
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


_positive.__name__ = "number from 1"


def run(args: argparse.Namespace) -> int:
    """Replay and print."""
    from emlearn_tools import artifact, recording

    model = artifact.load(args.model)
    mount = _mount(args.mount) if args.mount else None
    recordings = [recording.quantise(raw, model.spec) for raw in recording.load(args.recordings)]
    if args.rotate:
        _rotate(model, recordings)
    else:
        _replay(model, recordings, mount, args.chunk)
    return 0


def _mount(text: str) -> "Mount":
    from emlearn_tools.replay import mounts
    from emlearn_tools.spec import parse_mount

    mount = parse_mount(text.split(","), "--mount")
    if mount not in mounts():
        raise EmlearnError(f"{text} mirrors the device, which no mount can do", "--mount", "change one sign")
    return mount


def _replay(
    model: "Model", recordings: Sequence["Recording"], mount: "Mount | None", chunk: int | None
) -> None:
    from emlearn_tools.evaluate import decide
    from emlearn_tools.replay import lines, score, turn
    from emlearn_tools.trees_layout import layout

    trees = layout(model.forest)
    decided = []
    for item in recordings:
        decided.append(decide(model, trees, turn(item, mount) if mount else item, chunk))
        print(f"# {item.name}: {len(item.samples)} frames, {len(decided[-1].truth)} windows")
        width = max(map(len, model.classes))
        for line in lines(model, decided[-1]):
            print(f"{line.wire} {'*' if line.right is False else ' '} {line.truth:{width}}".rstrip())
    n_labelled, macro_f1, accuracy = score(model, decided)
    n_windows = sum(len(d.truth) for d in decided)
    print(f"# {n_windows} decisions, {n_labelled} with a true label", end="")
    print(f": macro-F1 {macro_f1:.3f}, accuracy {accuracy:.3f} (after smoothing)" if n_labelled else "")


def _rotate(model: "Model", recordings: Sequence["Recording"]) -> None:
    from rich.table import Table

    from emlearn_tools.cli.console import console, progress
    from emlearn_tools.replay import rotate

    out = console()
    with progress("turning the device") as advance:
        results = rotate(model, recordings, advance)
    table = Table("mount", title="decisions after smoothing, by mount", title_justify="left")
    for title in ("macro-F1", "accuracy", "unchanged"):
        table.add_column(title, justify="right")
    for turned in results:
        figures = (turned.macro_f1, turned.accuracy, turned.unchanged)
        name = ",".join(("-" if sign < 0 else "") + "xyz"[axis] for axis, sign in turned.mount)
        table.add_row(name, *("-" if value != value else f"{value:.3f}" for value in figures))
    out.print(table)
    out.print(
        f"{results[0].n_labelled} windows with a true label; `unchanged`: same class as without turning"
    )
