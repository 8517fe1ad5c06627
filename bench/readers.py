# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM of each back end of the IMU reader on nrf52840dk/nrf52840, against bounds.

    python bench/readers.py             print the table of docs/readers.md; exit 1 if a bound is broken, 2
                                        without the tools

Every row is the same application, batches of 32 frames of six axes, against the one without: what all
readers share against a plain one that reads single frames by the sensor API; each back end against a reader
whose back end reads nothing. It counts all that the image has more, kernel objects, drivers and subsystems
that come along included, as `west emlearn size WITH --against WITHOUT` does. Stacks stand apart.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts" / "west_commands"), str(ROOT / "tests")]

import zephyr_tier  # noqa: E402
from emlearn_tools import size, zephyr_tree  # noqa: E402

BOARD = "nrf52840dk/nrf52840"
MODULES = ("cmsis_6", "hal_nordic", "picolibc")
WORK = ROOT / "build" / "bench" / "readers"


class Variant(NamedTuple):
    """An application. against: the name of the one without, on the same shield. most: bytes of flash and
    RAM."""

    name: str
    shield: str
    options: tuple[str, ...]
    against: str | None
    most: tuple[int, int] | None = None


READER = ("CONFIG_EMLEARN=y", "CONFIG_EMLEARN_PIPELINE=n", "CONFIG_EMLEARN_IMU_READER=y")
NONE = (*READER, "CONFIG_BENCH_READER_NONE=y")
ASYNC = (*READER, "CONFIG_SENSOR_ASYNC_API=y")
FIFO = (*READER, "CONFIG_EMLEARN_IMU_READER_USE_FIFO=y")
TIMED = "CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS"
LSM6DSL, ICM42688 = "emlearn_lsm6dsl", "emlearn_icm42688"

VARIANTS = (
    Variant("plain", LSM6DSL, (), None),
    Variant("what all share", LSM6DSL, NONE, "plain"),
    Variant("fifo", LSM6DSL, (*FIFO, f"{TIMED}=n"), "what all share", (3072, 1536)),
    Variant("fifo with time stamps", LSM6DSL, (*FIFO, f"{TIMED}=y"), "what all share"),
    Variant("poll", LSM6DSL, (*READER, "CONFIG_EMLEARN_IMU_READER_USE_POLL=y"), "what all share"),
    Variant("read", LSM6DSL, (*ASYNC, "CONFIG_EMLEARN_IMU_READER_USE_READ=y"), "what all share"),
    Variant("none", ICM42688, NONE, None),
    Variant("stream", ICM42688, (*ASYNC, "CONFIG_EMLEARN_IMU_READER_USE_STREAM=y"), "none"),
)


def build(name: str, shield: str, options: tuple[str, ...], environment: dict[str, str]) -> Path:
    """Build a variant; returns its folder. Raises CalledProcessError."""
    folder = WORK / name.replace(" ", "_")
    log = folder.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    command = ["cmake", "-GNinja", f"-S{ROOT / 'bench' / 'reader'}", f"-B{folder}", f"-DBOARD={BOARD}"]
    command += [f"-DSHIELD={shield}", f"-DZEPHYR_MODULES={environment['ZEPHYR_MODULES']}"]
    command += [f"-DPython3_EXECUTABLE={sys.executable}", *(f"-D{option}" for option in options)]
    with log.open("w", encoding="utf-8") as out:
        for step in (command, ["ninja", "-C", str(folder)]):
            subprocess.run(step, env=environment, stdout=out, stderr=subprocess.STDOUT, check=True)
    return folder


def find() -> dict[str, str] | None:
    """The environment of the builds, None without a tree, its modules or a compiler."""
    tree = zephyr_tree.find(ROOT)
    toolchain = zephyr_tier.cross_toolchain(os.environ)
    if tree is None or toolchain is None:
        return None
    paths = zephyr_tier.module_paths(tree)
    if any(name not in paths for name in MODULES):
        return None
    modules = ";".join(str(path) for path in (ROOT, *(paths[name] for name in MODULES)))
    return {**os.environ, **toolchain, "ZEPHYR_BASE": str(tree.base), "ZEPHYR_MODULES": modules}


def main() -> int:
    """Build, compare, print, judge."""
    environment = find()
    if environment is None:
        print(f"skipped: Zephyr with {', '.join(MODULES)} and a compiler for Arm are needed", file=sys.stderr)
        return 2
    sizes: dict[str, size.Size] = {}
    broken = []
    print("| | sensor | flash | RAM | stacks |\n|---|---|--:|--:|--:|")
    for variant in VARIANTS:
        try:
            folder = build(variant.name, variant.shield, variant.options, environment)
        except subprocess.CalledProcessError:
            print(f"{variant.name}: does not build, see {WORK}", file=sys.stderr)
            return 1
        measured = sizes[variant.name] = size.measure(folder)
        if variant.against is None:
            continue
        base = sizes[variant.against]
        more = size.beyond(measured, base)
        stacks = measured.stack.ram - base.stack.ram
        sensor = variant.shield.removeprefix("emlearn_")
        print(f"| {variant.name} | {sensor} | {more.flash:,} | {more.ram:,} | {stacks:,} |", flush=True)
        if variant.most and (more.flash > variant.most[0] or more.ram > variant.most[1]):
            broken.append(f"{variant.name}: {tuple(more)} bytes of flash and RAM, at most {variant.most}")
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
