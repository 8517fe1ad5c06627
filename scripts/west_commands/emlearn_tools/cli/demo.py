# SPDX-License-Identifier: Apache-2.0
"""`demo`: the whole path, from recordings to what firmware says of a person that training never saw."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emlearn_tools.demo import Result

DESCRIPTION = """\
Go the whole path once and show what comes out.

Takes recordings (made up by `synth` unless --data is given), holds one person out, trains on the others,
converts the model to C, builds firmware for native_sim where a Zephyr tree is found and the C library for
this machine otherwise, replays the recordings of the person held out, and prints confusion, macro-F1, sizes.
Needs a C compiler.
"""

EPILOG = """\
examples:
  west emlearn demo -o build/demo
  west emlearn demo --data recordings --spec specs/synth.yaml -o build/demo
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="the whole path, one person held out",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, action="append", metavar="DIR", help="recordings (default: made up); repeatable"
    )
    parser.add_argument("--spec", type=Path, metavar="FILE", help="training spec (default: specs/synth.yaml)")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("build/demo"), metavar="DIR", help="default build/demo"
    )
    parser.add_argument(
        "--hold-out", metavar="NAME", help="subject (or recording) to hold out (default: the last)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of training (default 1)")
    parser.add_argument("--jobs", type=int, default=None, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--no-firmware", action="store_true", help="leave Zephyr out even where there is one")


def run(args: argparse.Namespace) -> int:
    """Run the demonstration and print what it found."""
    from emlearn_tools import demo
    from emlearn_tools.cli.train import progress, require_place

    require_place(args.output / demo.MODEL_FILE)
    result = demo.run(
        args.output,
        data=args.data or (),
        spec_path=args.spec,
        hold_out=args.hold_out,
        seed=args.seed,
        n_jobs=args.jobs,
        use_firmware=not args.no_firmware,
        say=lambda line: print(line, flush=True),
        progress=progress,
    )
    print(_summary(result))
    return 0


def _summary(result: "Result") -> str:
    """The result as text."""
    scores, smoothed = result.scores, result.smoothed
    width = max(len(name) for name in (*result.classes, "true / predicted"))
    column = max(6, *(len(name) + 1 for name in result.classes))
    lines = [
        "",
        f"confusion on {result.held_out}, windows before smoothing",
        f"{'true / predicted':<{width}}" + "".join(f"{name:>{column}}" for name in result.classes),
    ]
    for name, counts in zip(result.classes, scores["confusion"], strict=True):
        lines.append(f"{name:<{width}}" + "".join(f"{n or '.':>{column}}" for n in counts))
    lines += [
        "",
        f"macro-F1 {scores['macro_f1']:.3f}, accuracy {scores['accuracy']:.3f} per window",
        f"macro-F1 {smoothed['macro_f1']:.3f}, accuracy {smoothed['accuracy']:.3f} after smoothing",
        f"{result.n_decisions} decisions by {result.device}"
        + (", votes included the same as by the host" if result.on_firmware else ""),
        "",
        f"bytes, {result.sizes_of}; the rest of the image is start-up code",
        result.sizes,
        "",
        f"report: {result.report}",
    ]
    return "\n".join(lines)
