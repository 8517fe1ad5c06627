# SPDX-License-Identifier: Apache-2.0
"""What is installed: sdist and wheel hold what they need, and work where nothing else is."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted(path.name for path in (ROOT / "src" / "core").iterdir())
HEADERS = sorted(path.name for path in (ROOT / "include" / "emlearn").iterdir() if path.is_file())
pytest.importorskip("build", reason="the package `build` is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with an sdist, and the wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


def clean_environment(**extra: str) -> dict[str, str]:
    """No way back to the checkout."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COVERAGE"))}
    return {**kept, **extra}


def new_venv(folder: Path, with_pip: bool) -> Path:
    """An empty environment's interpreter."""
    venv.create(folder, with_pip=with_pip)
    return folder / "bin" / "python"


def test_the_sdist_holds_the_c_library_and_the_licence(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    wanted = {f"src/core/{name}" for name in CORE} | {f"include/emlearn/{name}" for name in HEADERS}
    wanted |= {"LICENSE", "README.md", "VERSION", "specs/synth.yaml", "src/host/emlearn_host.c"}
    assert wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "build/", ".venv/"))]


def test_the_wheel_holds_the_c_library_inside_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {f"emlearn_tools/csrc/src/core/{name}" for name in CORE}
    wanted |= {f"emlearn_tools/csrc/include/emlearn/{name}" for name in HEADERS}
    wanted |= {"emlearn_tools/csrc/src/host/emlearn_host.c", "emlearn_tools/specs/synth.yaml"}
    assert wanted <= names
    strays = [n for n in names if not n.startswith("emlearn_tools/") and ".dist-info/" not in n]
    assert not strays
    assert not [name for name in names if name.endswith((".pyc", ".so"))]


def test_every_module_of_the_checkout_is_in_the_wheel(wheel):
    package = ROOT / "scripts" / "west_commands" / "emlearn_tools"
    modules = {f"emlearn_tools/{path.relative_to(package)}" for path in package.rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        assert modules <= set(archive.namelist())


def test_the_package_does_not_take_the_name_of_another_project(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/", 1)[0] for name in archive.namelist()}
    assert wheel.name.startswith("emlearn_zephyr_tools-")
    assert "emlearn" not in tops


def test_convert_runs_from_the_bare_wheel_with_the_standard_library_alone(wheel, tmp_path):
    python = new_venv(tmp_path / "venv", with_pip=False)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = clean_environment(PYTHONPATH=str(tmp_path / "site"), PATH=str(tmp_path / "nothing"))
    model = ROOT / "samples" / "har_imu" / "model" / "har.json"
    command = [python, "-m", "emlearn_tools", "convert", model, "-o", tmp_path / "out", "--name", "har"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["har.c", "har.h"]


def index_is_reachable(folder: Path) -> bool:
    """Whether pip can fetch a small package."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "iniconfig", "-d", folder]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_wheel_in_an_empty_environment_trains_and_evaluates(wheel, tmp_path):
    if not index_is_reachable(tmp_path / "reachable"):
        pytest.skip("the package index is not reachable, so nothing can be installed beside the wheel")
    python = new_venv(tmp_path / "venv", with_pip=True)
    environment = clean_environment(EMLEARN_CACHE=str(tmp_path / "cache"))

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            [str(part) for part in (python, "-m", *command)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("pip", "install", "--quiet", f"{wheel}[train]")
    run("emlearn_tools", "synth", "-o", "data", "--subjects", "6", "--minutes", "2")
    specs = "import emlearn_tools, pathlib; print(pathlib.Path(emlearn_tools.__file__).parent / 'specs')"
    done = subprocess.run([python, "-c", specs], capture_output=True, text=True, check=True, cwd=tmp_path)
    spec = Path(done.stdout.strip()) / "synth.yaml"
    run("emlearn_tools", "train", spec, "--data", "data", "-o", "model.json")
    assert "macro" in run("emlearn_tools", "evaluate", "model.json", "--data", "data").lower()
