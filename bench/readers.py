# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM of each back end of the IMU reader on nrf52840dk/nrf52840, against bounds.

    python bench/readers.py             print the table of docs/readers.md; exit 1 if a bound is broken, 2
                                        without the tools

An application that reads a frame of six axes by the sensor API alone is compared with the same one that reads
batches of 32 by a reader, as `west emlearn size WITH --against WITHOUT` does: all that the image has more,
kernel objects, drivers and subsystems that come along included. Stacks stand apart.
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
    """A back end on a sensor. most: bounds of flash and RAM beyond the plain application, bytes."""

    name: str
    shield: str
    options: tuple[str, ...]
    most: tuple[int, int] | None = None


READER = ("CONFIG_EMLEARN=y", "CONFIG_EMLEARN_PIPELINE=n", "CONFIG_EMLEARN_IMU_READER=y")
ASYNC = ("CONFIG_SENSOR_ASYNC_API=y",)
FIFO = ("CONFIG_EMLEARN_IMU_READER_USE_FIFO=y",)
TIMED = ("CONFIG_EMLEARN_IMU_READER_FIFO_TIMESTAMPS=y",)

VARIANTS = (
    Variant("fifo", "emlearn_lsm6dsl", (*READER, *FIFO), (3072, 1536)),
    Variant("fifo with time stamps", "emlearn_lsm6dsl", (*READER, *FIFO, *TIMED)),
    Variant("poll", "emlearn_lsm6dsl", (*READER, "CONFIG_EMLEARN_IMU_READER_USE_POLL=y")),
    Variant("read", "emlearn_lsm6dsl", (*READER, *ASYNC, "CONFIG_EMLEARN_IMU_READER_USE_READ=y")),
    Variant("stream", "emlearn_icm42688", (*READER, *ASYNC, "CONFIG_EMLEARN_IMU_READER_USE_STREAM=y")),
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
    plain: dict[str, size.Size] = {}
    broken = []
    print("| back end | on | flash | RAM | stacks |\n|---|---|--:|--:|--:|")
    for variant in VARIANTS:
        try:
            if variant.shield not in plain:
                folder = build(f"plain {variant.shield}", variant.shield, (), environment)
                plain[variant.shield] = size.measure(folder)
            measured = size.measure(build(variant.name, variant.shield, variant.options, environment))
        except subprocess.CalledProcessError:
            print(f"{variant.name}: does not build, see {WORK}/*.log", file=sys.stderr)
            return 1
        more = size.beyond(measured, plain[variant.shield])
        stacks = measured.stack.ram - plain[variant.shield].stack.ram
        sensor = variant.shield.removeprefix("emlearn_")
        print(f"| {variant.name} | {sensor} | {more.flash:,} B | {more.ram:,} B | {stacks:,} B |", flush=True)
        if variant.most and (more.flash > variant.most[0] or more.ram > variant.most[1]):
            broken.append(f"{variant.name}: {tuple(more)} bytes of flash and RAM, at most {variant.most}")
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
