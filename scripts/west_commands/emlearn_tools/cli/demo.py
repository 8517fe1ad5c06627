# SPDX-License-Identifier: Apache-2.0
"""`demo`: the whole path, from recordings to what firmware says of a person that training never saw."""

import argparse
from pathlib import Path

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
    """Run the demonstration."""
    from emlearn_tools import demo

    return demo.run(
        args.output,
        data=args.data or (),
        spec_path=args.spec,
        hold_out=args.hold_out,
        seed=args.seed,
        jobs=args.jobs,
        firmware=not args.no_firmware,
    )
