# SPDX-License-Identifier: Apache-2.0
"""Figures of bytes in the documents, against a build of what they describe."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from emlearn_tools import size
from test_build_integration import ROOT, SAMPLE, _why_not

sys.path.append(str(ROOT / "bench"))
import readers  # noqa: E402


def shown(text: str, command: str) -> dict[str, tuple[int, int]]:
    """Flash and RAM by row, of the table behind a command in a document."""
    table = text.partition(command)[2].partition("\nbudget ")[0]
    rows = re.findall(r"^(\S.*?) +(\d+) +(\d+)$", table, re.MULTILINE)
    return {name: (int(flash), int(ram)) for name, flash, ram in rows}


def test_the_readme_shows_what_the_sample_takes(tmp_path: Path) -> None:
    if _why_not():
        pytest.skip(_why_not())
    environment = readers.find()
    if environment is None:
        pytest.skip("no compiler for Arm, or not the modules of nrf52840dk")
    subprocess.run(
        [
            *("cmake", "-GNinja", f"-S{SAMPLE}", f"-B{tmp_path}", f"-DBOARD={readers.BOARD}"),
            *(f"-DZEPHYR_MODULES={environment['ZEPHYR_MODULES']}", f"-DPython3_EXECUTABLE={sys.executable}"),
        ],
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
    )
    subprocess.run(["ninja", "-C", str(tmp_path)], env=environment, capture_output=True, check=True)
    measured = size.measure(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = shown(text, "west emlearn size build/board ")
    rooms = {room: tuple(one) for room, one in measured.rooms.items() if room != "replay"}
    stacks = {f"stack {name}": (0, ram) for name, ram in measured.stacks.items()}
    real = {
        **rooms,
        "emlearn in all": tuple(measured.emlearn),
        "replay device and recording": tuple(measured.replay),
        "rest of the image": tuple(measured.rest),
        **stacks,
        "total": tuple(measured.total),
        "of": (measured.flash.size, measured.ram.size),
    }
    assert list(table) == list(real)
    for name, figures in table.items():
        # Other versions of compiler and Zephyr differ by some percent.
        assert figures == pytest.approx(real[name], rel=0.1, abs=64), name


def test_the_table_of_the_readers_has_every_back_end() -> None:
    text = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z ]+) \| \w+ \| [\d,]+ \| [\d,]+ \| [\d,]+ \|$", text, re.MULTILINE)
    assert rows == [variant.name for variant in readers.VARIANTS if variant.against is not None]


def test_what_kconfig_says_of_the_fifo_is_what_the_table_says() -> None:
    text = (ROOT / "docs" / "readers.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| (fifo[a-z ]*) \| \w+ \| ([\d,]+) \|", text, re.MULTILINE))
    plain, timed = (
        round(int(table[name].replace(",", "")) / 1000) for name in ("fifo", "fifo with time stamps")
    )
    words = " ".join((ROOT / "src" / "zephyr" / "Kconfig.fifo").read_text(encoding="utf-8").split())
    assert f"about {plain} kB of flash, {timed} kB with time stamps" in words
