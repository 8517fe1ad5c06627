# SPDX-License-Identifier: Apache-2.0
"""Options of the models of chips on native_sim: which file they play, and faults."""

from pathlib import Path

import numpy as np
import pytest
from test_build_integration import SAMPLE, configure, pytestmark, replay, run, succeeds  # noqa: F401

CSV = SAMPLE / "replay" / "synth.csv"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with an icm42688, which plays the file that Kconfig names."""
    build = tmp_path_factory.mktemp("build")
    chip = ["-DDTC_OVERLAY_FILE=chips/icm42688.overlay", "-DEXTRA_CONF_FILE=chips/icm42688.conf"]
    file = ['-DCONFIG_HAR_IMU_RECORDING=""', '-DCONFIG_EMLEARN_REPLAY_IMU_FILE="replay/synth.csv"']
    succeeds(configure(build, *chip, *file, "-DCONFIG_NATIVE_SIM_SLOWDOWN_TO_REAL_TIME=n"))
    succeeds(run("ninja", "-C", build))
    return build


def array(factor: float = 1.0) -> np.ndarray:
    """The sample's recording, its time stretched."""
    rows = np.genfromtxt(CSV, delimiter=",", names=True, dtype=None, encoding="utf-8")
    rows["time"] *= factor
    return rows


def fails(build: Path, *arguments: str) -> str:
    """The line of the error."""
    done = run(build / "zephyr" / "zephyr.exe", *arguments)
    assert done.returncode == 1
    assert "E1," not in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    return line


def test_a_chip_plays_csv_and_npy_alike(built: Path, tmp_path: Path):
    summary = replay(built)[-1]
    assert summary.startswith("replay: 3000 frames, 0 lost, ")
    np.save(tmp_path / "synth.npy", array())
    assert replay(built, f"--imu-replay={CSV}")[-1] == summary
    assert replay(built, f"--imu-replay={tmp_path}/synth.npy")[-1] == summary
    np.save(tmp_path / "half.npy", array()[:1500])
    assert replay(built, f"--imu-replay={tmp_path}/half.npy")[-1].startswith("replay: 1500 frames, 0 lost, ")


@pytest.mark.parametrize(("factor", "rate_mhz"), [(0.94, 53191), (1.06, 47170), (0.5, 100000)])
def test_a_recording_of_another_rate_than_the_chips_is_one_error_that_names_both(
    built: Path, tmp_path: Path, factor: float, rate_mhz: int
):
    np.save(tmp_path / "other.npy", array(factor))
    assert fails(built, f"--imu-replay={tmp_path}/other.npy") == (
        f"error: icm42688@0 samples at 50000 mHz; the recording that it plays was made at {rate_mhz} mHz"
    )


@pytest.mark.parametrize("factor", [0.96, 1.04])
def test_a_rate_within_5_percent_is_played(built: Path, tmp_path: Path, factor: float):
    np.save(tmp_path / "near.npy", array(factor))
    assert replay(built, f"--imu-replay={tmp_path}/near.npy")[-1] == replay(built)[-1]


def n_lost(summary: str) -> int:
    return int(summary.split()[3])


def test_faults_come_one_by_one_or_in_a_list(built: Path):
    assert n_lost(replay(built, "--imu-fault=brownout@500")[-1]) > 0
    twice = replay(built, "--imu-fault=brownout@500,overrun@1500x2")[-1]
    assert n_lost(twice) > n_lost(replay(built, "--imu-fault=brownout@500")[-1])
    assert replay(built, "--imu-fault=brownout@500", "--imu-fault=overrun@1500x2")[-1] == twice


@pytest.mark.parametrize(
    "text", ["nak@5", "nack", "nack@five", "nack@5x0", "clock@5", "drop@5,", "drop@5,odd"]
)
def test_what_is_no_fault_is_one_error_that_lists_the_kinds(built: Path, text: str):
    error = fails(built, f"--imu-fault={text}")
    assert "error: fault '" in error
    kinds = "nack int-stuck int-lost int-spurious overrun brownout who-am-i odd clock drop repeat clip"
    assert error.endswith(f"KIND is one of {kinds}")


def test_a_value_that_no_chip_can_have_is_one_error(built: Path):
    assert fails(built, "--imu-fault=clock@5=600000") == (
        "error: fault 'clock@5=600000': the value is out of range"
    )
