# SPDX-License-Identifier: Apache-2.0
"""`synth`: labelled recordings from a kinematic model."""

import argparse
from pathlib import Path

HELP = "make labelled recordings from a kinematic model, for demonstrations and tests"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "synth",
        help=HELP,
        description=f"{HELP[0].upper()}{HELP[1:]}. They show the path, not real people.",
        epilog="example: synth -o build/synth --subjects 10 --seed 1",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="folder for CSV files and index.csv"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="the same seed, the same recordings (default 0)"
    )
    parser.add_argument("--subjects", metavar="N", type=int, help="persons (default 8)")
    parser.add_argument("--minutes", metavar="M", type=float, help="minutes a person (default 4)")
    parser.add_argument("--rate", metavar="HZ", type=float, help="frames a second (default 50)")


def run(args: argparse.Namespace) -> int:
    """Make and write the recordings."""
    from emlearn_tools import synth

    chosen = {"subjects": args.subjects, "minutes": args.minutes, "rate_hz": args.rate}
    recordings = synth.make(
        **{key: value for key, value in chosen.items() if value is not None}, seed=args.seed
    )
    files = synth.write(recordings, args.output)
    seconds = sum(len(raw.values) / raw.rate_hz for raw in recordings)
    persons = len({raw.subject for raw in recordings})
    print(f"{len(files) - 1} recordings of {persons} persons, {seconds / 60:.1f} minutes, in {args.output}")
    return 0
