# SPDX-License-Identifier: Apache-2.0
"""Build a bare-metal program for a Cortex-M and count its instructions under QEMU.

QEMU runs with `-icount shift=8`: virtual time advances by 256 ns an instruction. The program reads its
SysTick, which counts at the board's clock, before and after a call and prints the difference; from that and
the clock the number of instructions follows exactly. Loops of known length in every run prove it.
"""

import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

BENCH = Path(__file__).resolve().parent
CC = "arm-none-eabi-gcc"
QEMU = "qemu-system-arm"
ICOUNT_SHIFT = 8
TIMEOUT_S = 120

SOURCES = ("target/start.c", "target/target.c", "windows.c")


class BenchError(Exception):
    """A tool is missing or failed, or what the target printed makes no sense."""


@dataclass(frozen=True)
class Core:
    """A core, the QEMU machine that has it, and the clock of that machine's SysTick."""

    name: str
    cpu: str
    machine: str
    clock_hz: int

    def instructions(self, ticks: int) -> int:
        """Instructions that pass in a number of ticks: the nearest whole number, a tick being a part of
        one."""
        return round(Fraction(ticks * 10**9, self.clock_hz * 2**ICOUNT_SHIFT))


CORES = (
    Core("cortex-m3", "cortex-m3", "mps2-an385", 25_000_000),
    Core("cortex-m0", "cortex-m0", "microbit", 16_000_000),
)

Counts = dict[tuple[str, int], dict[str, int]]
"""Instructions by (what, size) and name."""


def missing_tools() -> list[str]:
    """What of the tools is not installed."""
    return [tool for tool in (CC, QEMU) if shutil.which(tool) is None]


def compile_command(core: Core, sources: Sequence[str], elf: Path) -> list[str]:
    """The compiler's command line for a program of bench sources and the whole library."""
    library = sorted(f"../src/core/{path.name}" for path in (BENCH.parent / "src" / "core").glob("*.c"))
    return [
        *(CC, "-std=c99", "-Wall", "-Wextra", "-Werror", "-Os", "-ffunction-sections"),
        *(f"-mcpu={core.cpu}", "-mthumb", "-I.", "-Itarget", "-I../include"),
        *("-nostartfiles", "-T", "target/link.ld", "-Wl,--gc-sections"),
        *(*SOURCES, *sources, *library, "-o", str(elf)),
    ]


def run_command(core: Core, elf: Path) -> list[str]:
    """QEMU's command line."""
    semihosting = ("-semihosting-config", "enable=on,target=native")
    icount = ("-icount", f"shift={ICOUNT_SHIFT}")
    return [QEMU, "-M", core.machine, *icount, "-nographic", *semihosting, "-kernel", str(elf)]


def measure(core: Core, sources: Sequence[str]) -> Counts:
    """Build and run a program, check its counter, and return its instruction counts without the call."""
    with tempfile.TemporaryDirectory() as folder:
        elf = Path(folder) / "bench.elf"
        call(compile_command(core, sources, elf))
        return count(core, call(run_command(core, elf)))


def count(core: Core, text: str) -> Counts:
    """The instructions in what a program printed, its counter checked."""
    counts: Counts = defaultdict(dict)
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != 4 or not fields[3].isdigit():
            raise BenchError(f"{core.name}: the target says: {line}")
        counts[fields[0], int(fields[1])][fields[2]] = int(fields[3])
    nothing = counts.pop(("nothing", 0))[""]
    for row in counts.values():
        row.update({name: core.instructions(ticks - nothing) for name, ticks in row.items()})
    return _check_loops(core, counts)


def _check_loops(core: Core, counts: Counts) -> Counts:
    loops = {size: row[""] for (what, size), row in counts.items() if what == "loop"}
    for n_loops, counted in loops.items():
        if counted != 2 * n_loops:
            raise BenchError(f"{core.name}: {counted} instructions counted in a loop of {2 * n_loops}")
    if len(loops) < 5:
        raise BenchError(f"{core.name}: the target did not check its counter")
    return {key: row for key, row in counts.items() if key[0] != "loop"}


def call(command: list[str]) -> str:
    """What a command prints, run in the folder of the benchmarks. Raises BenchError if it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=BENCH,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise BenchError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"{command[0]} did not end within {TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise BenchError(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout
