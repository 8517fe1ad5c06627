# SPDX-License-Identifier: Apache-2.0
"""`west emlearn SUB ...`: the command line of emlearn_tools, defaults from `west config emlearn.OPTION`."""

import argparse
import sys
from pathlib import Path

from west.commands import WestCommand
from west.configuration import Configuration
from west.util import WestNotFound, west_topdir

sys.path.insert(0, str(Path(__file__).resolve().parent))

from emlearn_tools import cli  # noqa: E402
from emlearn_tools.errors import EmlearnError  # noqa: E402

SECTION = "emlearn."


class Emlearn(WestCommand):
    """Hands all behind `west emlearn` to emlearn_tools."""

    def __init__(self) -> None:
        super().__init__(
            "emlearn",
            "classify sensor signals - train, evaluate, convert, size, replay",
            "Labelled IMU recordings to a decision in firmware.",
            requires_workspace=False,
        )

    def do_add_parser(self, parser_adder: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add our own parser below west's, so that --help and wrong arguments are answered by it."""
        parser = parser_adder.add_parser(self.name, help=self.help, description=self.description)
        try:
            cli.add_commands(parser, defaults())
        except EmlearnError as error:
            self.die(str(error))
        return parser

    def do_run(self, args: argparse.Namespace, unknown: list[str]) -> None:
        """Run a subcommand. west drops what is returned here, so the exit code leaves by sys.exit()."""
        sys.exit(cli.run(args))


def defaults() -> dict[str, str]:
    """What the user set by `west config emlearn.OPTION VALUE`."""
    try:
        topdir = west_topdir()
    except WestNotFound:
        topdir = None
    items = Configuration(topdir=topdir).items()
    return {name.removeprefix(SECTION): value for name, value in items if name.startswith(SECTION)}
