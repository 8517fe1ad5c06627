# SPDX-License-Identifier: Apache-2.0
"""Options of the models of chips on native_sim: which file they play, and faults."""

import os
import re
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
    # The address sanitiser makes the exit code 1 where memory is lost.
    options = ["-DCONFIG_NATIVE_SIM_SLOWDOWN_TO_REAL_TIME=n", "-DCONFIG_ASAN=y"]
    succeeds(configure(build, *chip, *file, *options))
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
    "text", ["nak@5", "nack", "nack@five", "nack@5x0", "clock@5=", "drop@5,", "drop@5,odd"]
)
def test_what_is_no_fault_is_one_error_that_lists_the_kinds(built: Path, text: str):
    error = fails(built, f"--imu-fault={text}")
    assert "error: fault '" in error
    kinds = "nack int-stuck int-lost int-spurious overrun brownout who-am-i odd clock drop repeat clip"
    assert error.endswith(f"KIND is one of {kinds}")


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("clock@5=600000", "-500000 to 500000"),
        ("who-am-i@0=300", "0 to 255"),
        ("who-am-i@0=-1", "0 to 255"),
        ("int-stuck@100=-5", "0 to 2147483647"),
    ],
)
def test_a_value_that_no_chip_can_have_is_one_error(built: Path, text: str, limits: str):
    assert fails(built, f"--imu-fault={text}") == (
        f"error: fault '{text}': the value is out of range, {limits}"
    )


ONCE = "has an xN, but int-stuck, brownout and clock strike once"
NO_VALUE = "has a VALUE, which only nack, int-stuck, overrun, who-am-i and clock take"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("drop@100=99", NO_VALUE),
        ("clip@0x*=1", NO_VALUE),
        ("brownout@500x3", ONCE),
        ("brownout@0x*", ONCE),
        ("clock@0x5=3000", ONCE),
        ("clock@5", "has not the VALUE that int-stuck, who-am-i and clock want"),
    ],
)
def test_what_a_fault_does_not_use_is_one_error(built: Path, text: str, complaint: str):
    assert fails(built, f"--imu-fault={text}") == f"error: fault '{text}' {complaint}"


def test_faults_that_never_struck_are_named_at_the_end(built: Path):
    *before, summary = replay(
        built, "--imu-fault=drop@100000,drop@100,clip@3000000000x2", "--imu-fault=nack@9=5000"
    )
    never = [
        "fault drop@100000 never struck",
        "fault clip@3000000000x2 never struck",
        "fault nack@9=5000 never struck",
    ]
    assert [line for line in before if "never struck" in line] == never
    assert n_lost(summary) == 1
    assert not any("never struck" in line for line in replay(built, "--imu-fault=drop@100x2,clip@3x*"))


@pytest.mark.parametrize("fault", ["brownout@2999", "brownout@2990", "drop@2980x100", "int-lost@2900x4"])
def test_frames_lost_up_to_the_end_are_counted(built: Path, fault: str):
    summary = replay(built, f"--imu-fault={fault}")[-1].split()
    assert int(summary[1]) + int(summary[3]) == 3000
    assert int(summary[3]) > 0


@pytest.mark.parametrize(
    "fault",
    [
        "int-lost@0x*",
        "int-lost@1000x*",
        "int-stuck@100=2147483647",
        "drop@0x*",
        "nack@500x*",
        "nack@500x*,brownout@500",
    ],
)
def test_a_fault_that_lasts_ends_the_sample_with_a_sentence(built: Path, fault: str):
    done = run("timeout", "60", built / "zephyr" / "zephyr.exe", f"--imu-fault={fault}")
    assert done.returncode == 1, done.stdout
    (sentence,) = [line for line in done.stdout.splitlines() if line.endswith(": given up")]
    found = re.fullmatch(
        r"icm42688@0 has made \d+ frames of a recording of 3000, and its reader got (\d+) of them: given up",
        sentence,
    )
    assert found
    assert done.stdout.count("trying again") <= 2
    (summary,) = [line.split() for line in done.stdout.splitlines() if line.startswith("replay: ")]
    assert int(summary[1]) == int(found[1])
    assert int(summary[1]) + int(summary[3]) == 3000


def test_an_acceleration_in_another_unit_is_one_error(built: Path, tmp_path: Path):
    rows = array()
    for axis in "xyz":
        rows[f"acc_{axis}"] *= 9.80665
    np.save(tmp_path / "m_s2.npy", rows)
    error = fails(built, f"--imu-replay={tmp_path}/m_s2.npy")
    assert "m_s2.npy: median |acc| is " in error
    assert error.endswith("not near 1 g, which looks like m/s2; divide the acceleration by 9.80665")


def test_a_pipe_is_one_error(built: Path, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    error = fails(built, f"--imu-replay={tmp_path}/pipe")
    assert error.startswith(f"error: {tmp_path}/pipe: is no regular file")
