# SPDX-License-Identifier: Apache-2.0
"""Recordings as C: what the compiler makes of them is the recording."""

import ctypes
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from emlearn_tools import artifact, cli, recording, recording_c
from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import IDENTITY_MOUNT
from model_cases import MODEL
from recording_struct import Recording

ROOT = Path(__file__).resolve().parents[2]

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc not installed")

LABELS = ['sit "down"', "läuft??/", "", "unlabeled"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """MODEL, which has both sensors and a mount that turns and negates."""
    assert MODEL.spec.mount != IDENTITY_MOUNT
    file = tmp_path / "har.json"
    artifact.save(MODEL, file)
    return file


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """60 frames at the model's rate with four labels; five frames are missing before the 40th."""
    random = np.random.RandomState(1)
    lines = ["time,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label"]
    for i in range(60):
        seconds = (i if i < 40 else i + 5) / 52.083
        values = ",".join(f"{v:.5f}" for v in random.uniform(-2.5, 2.5, 6))
        label = LABELS[i // 15].replace('"', '""')
        lines.append(f'{seconds:.6f},{values},"{label}"')
    file = tmp_path / "walk.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def compiled(folder: Path, name: str) -> Recording:
    """NAME_recording as the compiler sees it, strict warnings on."""
    library = folder / f"{name}.so"
    flags = "-shared -fPIC -std=c99 -pedantic -Wall -Wextra -Wconversion -Werror".split()
    source = folder / f"{name}.c"
    subprocess.run(["gcc", *flags, f"-I{ROOT}/include", "-o", library, source], check=True)
    loaded = ctypes.CDLL(str(library))
    found = Recording.in_dll(loaded, f"{name}_recording")
    found.library = loaded
    return found


@needs_gcc
def test_the_array_is_the_recording_on_the_model_s_grid_and_in_its_own_axes(
    model: Path, csv: Path, tmp_path: Path
):
    recording_c.convert(model, csv, tmp_path / "out", "walk")
    found = compiled(tmp_path / "out", "walk")
    (raw,) = recording.load([csv])
    steps = [61e-6] * 3 + [7 / 800] * 3
    expected = np.clip(np.floor(raw.values / steps + 0.5), -32768, 32767)
    frames = np.ctypeslib.as_array(found.frames, shape=(found.n_frames, 6))
    np.testing.assert_array_equal(frames, expected)
    assert (expected == 32767).any(), "nothing was clipped"
    spans = [(found.spans[i].stop, found.spans[i].label.decode()) for i in range(found.n_spans)]
    assert spans == [(15, LABELS[0]), (30, LABELS[1]), (45, LABELS[2]), (60, LABELS[3])]
    assert [(found.gaps[i].frame, found.gaps[i].n_lost) for i in range(found.n_gaps)] == [(40, 5)]
    assert found.rate_mhz == pytest.approx(52083, abs=2)
    assert (found.acc_step_num, found.acc_step_den) == (61, 1_000_000)
    assert (found.gyro_step_num, found.gyro_step_den) == (7, 800)
    assert found.sensors == 3


@needs_gcc
def test_a_model_of_one_sensor_gets_that_sensor_alone(csv: Path, tmp_path: Path):
    spec = replace(
        MODEL.spec, sensors=("gyro",), acc_step=None, features=("gyro_x.mean", "gyro_y.std", "gyro_x.iqr")
    )
    model = tmp_path / "gyro.json"
    artifact.save(replace(MODEL, spec=spec), model)
    recording_c.convert(model, csv, tmp_path, "walk")
    found = compiled(tmp_path, "walk")
    (raw,) = recording.load([csv])
    frames = np.ctypeslib.as_array(found.frames, shape=(found.n_frames, 3))
    np.testing.assert_array_equal(frames, np.floor(raw.values[:, 3:] / (7 / 800) + 0.5))
    assert found.sensors == 2
    assert (found.acc_step_num, found.acc_step_den) == (0, 1)


@needs_gcc
def test_no_recording_is_an_empty_one_with_the_grid_of_the_model(model: Path, tmp_path: Path):
    recording_c.convert(model, None, tmp_path, "nothing")
    found = compiled(tmp_path, "nothing")
    assert (found.n_frames, found.n_spans, found.n_gaps) == (0, 0, 0)
    assert not found.frames
    assert (found.rate_mhz, found.sensors) == (52083, 3)
    assert Fraction(found.acc_step_num, found.acc_step_den) == MODEL.spec.acc_step


def test_the_same_recording_gives_the_same_bytes_and_is_not_written_again(
    model: Path, csv: Path, tmp_path: Path
):
    first = recording_c.convert(model, csv, tmp_path / "a", "walk")
    assert set(first.values()) == {True}
    assert set(recording_c.convert(model, csv, tmp_path / "a", "walk").values()) == {False}
    moved = tmp_path / "elsewhere.csv"
    shutil.copy(csv, moved)
    recording_c.convert(model, moved, tmp_path / "b", "walk")
    for name in ("walk.c", "walk.h"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert str(tmp_path) not in (tmp_path / "a" / name).read_text(encoding="utf-8")


def test_the_command_line_says_what_it_wrote(model: Path, csv: Path, tmp_path: Path, capsys):
    arguments = ["recording", str(model), str(csv), "-o", str(tmp_path / "out"), "--name", "walk"]
    assert cli.main(arguments) == 0
    assert f"{tmp_path}/out/walk.c: written" in capsys.readouterr().out
    assert cli.main(arguments) == 0
    assert f"{tmp_path}/out/walk.c: unchanged" in capsys.readouterr().out
    assert cli.main(["recording", str(model), "-o", str(tmp_path / "out"), "--name", "empty"]) == 0


def test_one_recording_at_a_time(model: Path, csv: Path, tmp_path: Path):
    shutil.copy(csv, tmp_path / "second.csv")
    with pytest.raises(EmlearnError, match="holds 2 recordings"):
        recording_c.convert(model, tmp_path, tmp_path / "out", "walk")
    assert not (tmp_path / "out").exists()


def test_a_recording_of_another_rate_or_without_a_sensor_is_refused(model: Path, tmp_path: Path):
    file = tmp_path / "slow.csv"
    rows = "".join(f"{i / 20},0,0,1,0,0,0\n" for i in range(40))
    file.write_text("time,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n" + rows, encoding="utf-8")
    with pytest.raises(EmlearnError, match="runs at 20 Hz"):
        recording_c.convert(model, file, tmp_path / "out", "walk")
    rows = "".join(f"{i / 52.083},0,0,1\n" for i in range(40))
    file.write_text("time,acc_x,acc_y,acc_z\n" + rows, encoding="utf-8")
    with pytest.raises(EmlearnError, match="has no gyro_x"):
        recording_c.convert(model, file, tmp_path / "out", "walk")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["Walk", "2walk", "stdint", "walk-1"])
def test_a_name_that_c_cannot_have_is_refused(model: Path, tmp_path: Path, name: str):
    with pytest.raises(EmlearnError):
        recording_c.convert(model, None, tmp_path / "out", name)


def test_without_numpy_an_empty_recording_works_and_another_says_what_it_needs(
    model: Path, csv: Path, tmp_path: Path
):
    code = (
        "import sys\n"
        "sys.modules['numpy'] = None\n"
        f"sys.path.insert(0, {str(ROOT / 'scripts' / 'west_commands')!r})\n"
        "from emlearn_tools import cli\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", code, "recording", model]
    output = ["-o", tmp_path / "out", "--name", "walk"]
    assert subprocess.run([*command, *output], capture_output=True, check=False).returncode == 0
    done = subprocess.run([*command, csv, *output], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Python lacks numpy" in done.stderr
    assert "Traceback" not in done.stderr
