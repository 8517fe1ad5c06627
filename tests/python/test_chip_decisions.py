# SPDX-License-Identifier: Apache-2.0
"""Decisions of firmware that reads a chip are those of the host on the same recording.

The chip is a model of its registers, FIFO and interrupt line and plays the recording on native_sim; driver,
reader, pipeline and trained model are those of a device. tests/zephyr/imu_decisions is the application.
"""

import functools
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import chip_cases
import numpy as np
import pytest
from chip_cases import CASES, Case
from emlearn_tools import artifact, native
from emlearn_tools.atomic import write_text
from emlearn_tools.evaluate import decide
from emlearn_tools.loaders.csv_table import text_of_recording
from emlearn_tools.recording import Recording, load, quantise
from emlearn_tools.replay import Mount, lines, turn
from emlearn_tools.spec import IDENTITY_MOUNT
from emlearn_tools.trees_layout import layout
from test_build_integration import BOARD, ROOT, pytestmark, run, succeeds  # noqa: F401

APPLICATION = ROOT / "tests" / "zephyr" / "imu_decisions"
TURNED = ((1, 1), (0, -1), (2, 1))
"""The mount of the node `turned` in the overlays."""

BATCH_FRAMES = 32
"""Of the application."""


class Firmware(NamedTuple):
    """An image of one chip, with all models, and a CSV file for each."""

    program: Path
    folder: Path


class Run(NamedTuple):
    """What the image printed: decisions, time of the chip's first frame in us, frames delivered and lost.

    crc: CRC-32 of the frames, little-endian int16.
    """

    decisions: list[native.Decision]
    digests: set[int]
    start_us: int
    n_frames: int
    n_lost: int
    crc: int


class Expected(NamedTuple):
    """What the host has; end: last frame of each window."""

    model: artifact.Model
    recording: Recording
    decisions: list[native.Decision]
    end: np.ndarray


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Firmware]:
    """From a chip to its image, which is built when it is first asked for."""
    return functools.cache(lambda chip: build(chip, tmp_path_factory.mktemp(chip)))


@pytest.fixture
def firmware(case: Case, images: Callable[[str], Firmware]) -> Firmware:
    """The image of the case's chip."""
    return images(case.chip)


def build(chip: str, folder: Path) -> Firmware:
    """Train all models of a chip and build them into one image."""
    for case in CASES[chip]:
        raw = chip_cases.record(case)
        write_text(folder / f"{case.name}.csv", text_of_recording(raw))
        artifact.save(chip_cases.train(case, raw), folder / f"{case.name}.json")
    succeeds(
        run(
            *("cmake", "-GNinja", f"-S{APPLICATION}", f"-B{folder}/build", f"-DBOARD={BOARD}"),
            f"-DEXTRA_DTC_OVERLAY_FILE={chip}.overlay",
            f"-DEXTRA_CONF_FILE={chip}.conf",
            f"-DDECISIONS_MODELS={folder}",
            f"-DPython3_EXECUTABLE={sys.executable}",
        )
    )
    succeeds(run("ninja", "-C", folder / "build"))
    return Firmware(folder / "build" / "zephyr" / "zephyr.exe", folder)


def play(firmware: Firmware, case: Case, *options: str) -> Run:
    """Run the image with the model of a case on its recording."""
    file = firmware.folder / f"{case.name}.csv"
    output = succeeds(run(firmware.program, f"--model={case.name}", f"--imu-replay={file}", *options))
    decoded = [native.wire_decode(line) for line in re.findall(r"^E1,\S+", output, re.MULTILINE)]
    start = re.search(r"^first frame at (\d+) us$", output, re.MULTILINE)
    end = re.search(r"^frames (\d+) lost (\d+) crc ([0-9a-f]{8})$", output, re.MULTILINE)
    assert start and end, output
    return Run(
        [decision for decision, _, _ in decoded],
        {digest for _, digest, _ in decoded},
        int(start[1]),
        int(end[1]),
        int(end[2]),
        int(end[3], 16),
    )


def host(firmware: Firmware, case: Case, mount: Mount = IDENTITY_MOUNT) -> Expected:
    """The recording of a case, turned, through its model on the host."""
    model = artifact.load(firmware.folder / f"{case.name}.json")
    (raw,) = load([firmware.folder / f"{case.name}.csv"])
    decided = decide(model, layout(model.forest), turn(quantise(raw, model.spec), mount))
    decisions = [native.wire_decode(line.wire)[0] for line in lines(model, decided)]
    return Expected(model, decided.recording, decisions, decided.windows.end)


def check(played: Run, expected: Expected, ppm: int = 0) -> None:
    """All that was played is what the host has; the clock of the chip is `ppm` fast."""
    frames = expected.recording.samples
    period_us = 1e6 / (float(expected.model.spec.rate_hz) * (1 + ppm / 1e6))
    assert (played.n_frames, played.n_lost) == (len(frames), 0)
    assert played.crc == zlib.crc32(frames.astype("<i2").tobytes())
    assert played.digests == {expected.model.digest32}
    assert without_times(played.decisions) == without_times(expected.decisions)
    t_us = np.array([decision.t_us for decision in played.decisions]) - played.start_us
    assert np.abs(t_us - expected.end * period_us).max() < period_us


def without_times(decisions: list[native.Decision]) -> list[native.Decision]:
    """Times are compared with the chip's clock, not with that of the host's recording."""
    return [decision._replace(t_us=0) for decision in decisions]


EVERY_CASE = [case for cases in CASES.values() for case in cases]
HIRES_CASES = [case for case in CASES["icm42688"] if case.range_g == 4]
"""Ranges whose grid the packets of 20 bytes have."""

A_CASE_A_CHIP = [cases[5] for cases in CASES.values()]
"""100 and 104 Hz, at the wider ranges."""


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_every_decision_is_that_of_the_host(firmware: Firmware, case: Case):
    expected = host(firmware, case)
    decisions = expected.decisions
    # Six activities that smoothing changes, and a last batch that the recording does not fill.
    assert len({decision.class_idx for decision in decisions}) == 6
    assert any(decision.class_idx != decision.window_class_idx for decision in decisions)
    assert any(decision.warming for decision in decisions)
    assert len(expected.recording.samples) % BATCH_FRAMES != 0
    check(play(firmware, case), expected)


@pytest.mark.parametrize("case", HIRES_CASES, ids=str)
def test_packets_of_20_bytes_decide_alike(firmware: Firmware, case: Case):
    check(play(firmware, case, "--imu=hires"), host(firmware, case))


@pytest.mark.parametrize("case", A_CASE_A_CHIP, ids=str)
@pytest.mark.parametrize("ppm", [-30000, 30000])
def test_a_clock_that_is_off_changes_times_and_nothing_else(firmware: Firmware, case: Case, ppm: int):
    check(play(firmware, case, f"--imu-fault=clock@0={ppm}"), host(firmware, case), ppm)


@pytest.mark.parametrize("case", A_CASE_A_CHIP, ids=str)
def test_a_chip_that_is_mounted_another_way_decides_like_a_turned_recording(firmware: Firmware, case: Case):
    turned = host(firmware, case, TURNED)
    assert turned.decisions != host(firmware, case).decisions
    check(play(firmware, case, "--imu=turned"), turned)
