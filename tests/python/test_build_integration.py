# SPDX-License-Identifier: Apache-2.0
"""The sample har_imu through Zephyr's own build for native_sim: overrides, rebuilds, replay."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from emlearn_tools import artifact, zephyr_tree
from emlearn_tools.firmware import missing_tools

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "har_imu"
BOARD = "native_sim/native/64"
TREE = zephyr_tree.find(ROOT)


def _why_not() -> str:
    if TREE is None:
        return "no Zephyr tree found"
    if missing_tools():
        return f"{', '.join(missing_tools())} not installed"
    if importlib.util.find_spec("pykwalify") is None:
        return "Python lacks pykwalify (scripts/requirements-firmware.txt)"
    return ""


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "all there")


def run(*command: str | Path) -> subprocess.CompletedProcess:
    """Run a command of the build; its output is text, errors included."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # Images of sysbuild look for Python on the PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment |= {
        "PATH": path,
        "ZEPHYR_BASE": str(TREE.base),
        "ZEPHYR_TOOLCHAIN_VARIANT": "host",
        "ZEPHYR_MODULES": str(ROOT),
    }
    return subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        timeout=600,
        check=False,
    )


def configure(build: Path, *arguments: str, sysbuild: bool = False) -> subprocess.CompletedProcess:
    """Run cmake for the sample as `west build` does."""
    source = [f"-S{TREE.base}/share/sysbuild", f"-DAPP_DIR={SAMPLE}"] if sysbuild else [f"-S{SAMPLE}"]
    return run(
        "cmake",
        "-GNinja",
        *source,
        f"-B{build}",
        f"-DBOARD={BOARD}",
        f"-DPython3_EXECUTABLE={sys.executable}",
        *arguments,
    )


def succeeds(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's model with its classes renamed, so that its output tells it from the sample's own."""
    model = artifact.load(SAMPLE / "model" / "har.json")
    file = tmp_path_factory.mktemp("model") / "other.json"
    artifact.save(replace(model, classes=tuple(f"other_{name}" for name in model.classes)), file)
    return file


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, other_model: Path) -> Path:
    """A build folder of the sample with a model that the tests may edit."""
    build = tmp_path_factory.mktemp("build")
    # No array, so that what is played without an argument is the file that Kconfig names.
    file = '-DCONFIG_EMLEARN_REPLAY_IMU_FILE="replay/synth.csv"'
    succeeds(configure(build, f"-DEMLEARN_MODEL={other_model}", '-DCONFIG_HAR_IMU_RECORDING=""', file))
    succeeds(run("ninja", "-C", build))
    return build


def replay(build: Path, *arguments: str) -> list[str]:
    """Lines that the firmware prints."""
    done = run(build / "zephyr" / "zephyr.exe", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def test_the_model_of_the_command_line_is_built_in(built: Path):
    decisions = [line for line in replay(built) if line.startswith("E1,")]
    assert len(decisions) > 10
    assert all(",other_" in line for line in decisions)


def test_firmware_prints_the_lines_that_the_host_prints(built: Path, other_model: Path):
    command = [sys.executable, "-m", "emlearn_tools", "replay", other_model, SAMPLE / "replay" / "synth.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts" / "west_commands")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    host = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("E1,")]
    assert host == [line for line in replay(built) if line.startswith("E1,")]


def test_an_untouched_build_does_nothing(built: Path):
    succeeds(run("ninja", "-C", built))
    steps = [line for line in succeeds(run("ninja", "-C", built)).splitlines() if line.startswith("[")]
    # CMake looks whether files of the generator came or went, and Zephyr links the runner of native_sim.
    expected = ("Re-checking globbed directories", "native simulator runner", "native_runner")
    assert [line for line in steps if not any(part in line for part in expected)] == []


def test_an_edited_model_is_converted_and_linked_and_nothing_of_zephyr_is_compiled(
    built: Path, other_model: Path
):
    model = artifact.load(other_model)
    artifact.save(
        replace(model, classes=tuple(name.replace("other", "edited") for name in model.classes)), other_model
    )
    steps = succeeds(run("ninja", "-C", built, "-v"))
    assert "emlearn_tools convert" in steps
    assert "kernel/" not in steps.replace("zephyr/kernel/libkernel.a", "")
    assert any(",edited_" in line for line in replay(built))


def test_a_file_of_the_command_line_is_played_with_its_gaps_and_labels(built: Path, tmp_path: Path):
    lines = (SAMPLE / "replay" / "synth.csv").read_text(encoding="utf-8").splitlines()
    shorter = tmp_path / "gap.csv"
    shorter.write_text("\n".join(lines[:1001] + lines[1011:1501]) + "\n", encoding="utf-8")
    summary = replay(built, f"--imu-replay={shorter}")[-1]
    # 1000 frames before the gap give 14 windows of 128 at every 64, 490 behind it 6.
    assert summary.startswith("replay: 1490 frames, 10 lost, 20 decisions, ")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("time,acc_x,acc_y\n0,1,2\n", ":1: column acc_z is missing"),
        ("acc_x,acc_y,acc_z\n0,1,2\n", ":1: column time is missing"),
        ("time,acc_x,acc_y,acc_z\n0,0,0,1\n0.02,0,0,one\n", ":3: acc_z is 'one', not a number"),
        ("time,acc_x,acc_y,acc_z\n0,0,0,1\n0.02,0,0,nan\n", ":3: acc_z is not a finite number"),
        ("time,acc_x,acc_y,acc_z\n0,0,0,1\n0.02,0,0\n", ":3: 3 fields, the header has 4"),
        ("time,acc_x,acc_y,acc_z\n0.02,0,0,1\n0,0,0,1\n", ":3: time goes back from 0.02 s to 0 s"),
        ("time,acc_x,acc_y,acc_z\n", "has a header and no frames"),
        ("time,acc_x,acc_y,acc_z\n0,0,0,1\n", "give no rate of an IMU"),
        ('time,acc_x,acc_y,acc_z\n"0",0,0,1\n', ":2: quoted fields are not read here"),
        (
            "time,acc_x,acc_y,acc_z\n" + "".join(f"{i * 20},0,0,1\n" for i in range(9)),
            "give no rate of an IMU",
        ),
    ],
)
def test_a_file_that_cannot_be_played_is_one_error_with_its_place(
    built: Path, tmp_path: Path, text: str, complaint: str
):
    file = tmp_path / "bad.csv"
    file.write_text(text, encoding="utf-8")
    done = run(built / "zephyr" / "zephyr.exe", f"--imu-replay={file}")
    assert done.returncode == 1
    assert f"error: {file}" in done.stdout
    assert complaint in done.stdout
    assert "E1," not in done.stdout


def test_a_file_of_another_rate_is_refused_by_the_reader(built: Path, tmp_path: Path):
    file = tmp_path / "fast.csv"
    rows = "".join(f"{i / 100},0,0,1\n" for i in range(300))
    file.write_text("time,acc_x,acc_y,acc_z\n" + rows, encoding="utf-8")
    done = run(built / "zephyr" / "zephyr.exe", f"--imu-replay={file}")
    assert done.returncode == 1
    assert "runs at 100000 mHz; the model wants 50000 mHz" in done.stdout


def test_a_missing_file_is_one_error(built: Path, tmp_path: Path):
    done = run(built / "zephyr" / "zephyr.exe", f"--imu-replay={tmp_path}/none.csv")
    assert done.returncode == 1
    assert f"error: {tmp_path}/none.csv: cannot be opened" in done.stdout


@pytest.mark.parametrize(
    "form", ["EMLEARN_MODEL", "EMLEARN_MODEL_HAR", "har_imu_EMLEARN_MODEL_HAR", "CONFIG_HAR_IMU_MODEL"]
)
def test_sysbuild_hands_the_model_on(tmp_path: Path, other_model: Path, form: str):
    value = f'"{other_model}"' if form.startswith("CONFIG_") else other_model
    succeeds(configure(tmp_path, f"-D{form}={value}", sysbuild=True))
    commands = (tmp_path / "har_imu" / "build.ninja").read_text(encoding="utf-8")
    assert f"convert {other_model}" in commands
    assert f"convert {SAMPLE}/model/har.json" not in commands


def test_a_missing_model_stops_the_configuration_with_its_name(tmp_path: Path):
    done = configure(tmp_path, "-DEMLEARN_MODEL=no/such.json")
    assert done.returncode != 0
    assert f"the model 'har' is not there: {SAMPLE}/no/such.json" in " ".join(done.stdout.split())


def test_kconfig_names_a_model_without_sysbuild(tmp_path: Path, other_model: Path):
    succeeds(configure(tmp_path, f'-DCONFIG_HAR_IMU_MODEL="{other_model}"'))
    assert f"convert {other_model}" in (tmp_path / "build.ninja").read_text(encoding="utf-8")
