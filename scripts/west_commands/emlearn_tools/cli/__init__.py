# SPDX-License-Identifier: Apache-2.0
"""The command line. One module a subcommand, each with add_parser(subparsers) and run(args) -> exit code.

Exit codes: 0 done, 1 a problem with the input or a broken limit, 2 a wrong command line, 130 interrupted.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from emlearn_tools.errors import EmlearnError

COMMANDS = ("synth", "check", "train", "evaluate", "convert", "size", "replay", "demo")


def build_parser(prog: str = "python -m emlearn_tools") -> argparse.ArgumentParser:
    """The parser of all subcommands; heavy imports wait until one of them runs."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Labelled IMU recordings to a decision in firmware: train, evaluate, convert, size, replay.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="SUB", required=True)
    for name in COMMANDS:
        importlib.import_module(f"emlearn_tools.cli.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None, prog: str = "python -m emlearn_tools") -> int:
    """Run one subcommand and return its exit code."""
    args = build_parser(prog).parse_args(argv)
    return run(args)


def run(args: argparse.Namespace) -> int:
    """Run a parsed subcommand: one clear error on stderr, never a traceback for bad input."""
    module = importlib.import_module(f"emlearn_tools.cli.{args.command}")
    try:
        return module.run(args)
    except EmlearnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
