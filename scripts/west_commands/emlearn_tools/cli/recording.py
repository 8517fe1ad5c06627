# SPDX-License-Identifier: Apache-2.0
"""`recording`: a recording to C, for a device that replays it."""

import argparse
from pathlib import Path

DESCRIPTION = """\
Write NAME.c and NAME.h from a recording, on the grid of a model: its sensors and steps, but not its mount.

A device emlearn,replay-imu with `recording = "NAME"` plays it in firmware. Without a recording the files
describe an empty one, for a device on native_sim that is given a file when it starts. The build calls this
through emlearn_add_recording().
"""

EPILOG = """\
example:
  west emlearn recording model/har.json walk.csv -o build/generated --name walk
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "recording",
        help="a recording to C, to be replayed in firmware",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, metavar="MODEL.json", help="the model that it is for")
    parser.add_argument("recording", type=Path, nargs="?", metavar="RECORDING", help="one recording")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the two files"
    )
    parser.add_argument("--name", required=True, help="prefix of all names in C, and of the two files")


def run(args: argparse.Namespace) -> int:
    """Convert; says which files changed."""
    from emlearn_tools.recording_c import convert

    for path, changed in convert(args.model, args.recording, args.output, args.name).items():
        print(f"{path}: {'written' if changed else 'unchanged'}")
    return 0
