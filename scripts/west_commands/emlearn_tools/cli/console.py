# SPDX-License-Identifier: Apache-2.0
"""Tables and progress bars of the subcommands, by rich."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emlearn_tools.errors import EmlearnError

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 110
"""Columns where the output is no terminal."""


def console(stderr: bool = False) -> "Console":
    """A console that prints text as it is. Raises EmlearnError if rich is missing."""
    try:
        from rich.console import Console
    except ImportError:
        raise EmlearnError("the package rich is missing", hint="pip install rich") from None
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, advanced by calling it with (done, total); silent if stderr is no terminal."""
    from rich.progress import Progress

    with Progress(console=console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
