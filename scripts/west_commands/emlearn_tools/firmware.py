# SPDX-License-Identifier: Apache-2.0
"""The sample har_imu on native_sim: build it around a model, and let it play a recording."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from emlearn_tools import native
from emlearn_tools.errors import EmlearnError
from emlearn_tools.zephyr_tree import Tree

BOARD = "native_sim/native/64"
MODEL_NAME = "har"
"""The name of the model in the sample."""

LINE_START = "E1,"
BUILD_TIMEOUT_S = 900
REPLAY_TIMEOUT_S = 300


def sample_folder() -> Path | None:
    """samples/har_imu of the checkout; None where only the Python package is installed."""
    folder = native.source_root() / "samples" / "har_imu"
    return folder if folder.is_dir() else None


def missing_tools(environ: Mapping[str, str] | None = None) -> list[str]:
    """Programs that a build for native_sim needs and that are not on the PATH."""
    path = (os.environ if environ is None else environ).get("PATH")
    return [name for name in ("cmake", "ninja", "gcc") if shutil.which(name, path=path) is None]


def build(tree: Tree, model: Path, folder: Path) -> Path:
    """Build the sample with `model` in `folder`; returns the program. `folder`/build.log has all the output.

    Raises EmlearnError with the last lines of that output if the build fails.
    """
    sample = sample_folder()
    if sample is None:
        raise EmlearnError("the sample is not part of the installed package", hint="work in a checkout")
    configure = [
        "cmake",
        "-GNinja",
        f"-S{sample}",
        f"-B{folder}",
        f"-DBOARD={BOARD}",
        # native_sim needs no other module, so this works without a west workspace too.
        f"-DZEPHYR_MODULES={native.source_root()}",
        f"-DEMLEARN_MODEL_{MODEL_NAME.upper()}={model.resolve()}",
        '-DCONFIG_HAR_IMU_RECORDING=""',
    ]
    if importlib.util.find_spec("pykwalify"):
        # This Python has what Zephyr's build scripts import; the one on the PATH may not.
        configure.append(f"-DPython3_EXECUTABLE={sys.executable}")
    environment = {**os.environ, "ZEPHYR_BASE": str(tree.base), "ZEPHYR_TOOLCHAIN_VARIANT": "host"}
    environment.pop("PYTHONPATH", None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / "build.log").open("w", encoding="utf-8")
    except OSError as error:
        raise EmlearnError(f"cannot write the build ({error.strerror})", folder) from error
    with log:
        for command in (configure, ["ninja", "-C", str(folder)]):
            _run(command, environment, log)
    return folder / "zephyr" / "zephyr.exe"


def _run(command: Sequence[str], environment: Mapping[str, str], log) -> None:
    log.write("$ " + " ".join(command) + "\n")
    log.flush()
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
        code = done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        log.write(f"{error}\n")
        code = 1
    if code != 0:
        log.flush()
        lines = Path(log.name).read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(line for line in lines if line.strip()).splitlines()[-12:]
        raise EmlearnError(
            "the firmware does not build:\n    " + "\n    ".join(tail),
            log.name,
            "the whole output is in that file",
        )


def replay(program: Path, recording: Path) -> list[native.Decision]:
    """The decisions that the firmware prints for a CSV recording.

    Raises EmlearnError if it stops with an error, its self-test included, or prints a damaged line.
    """
    command = [str(program), f"--imu-replay={recording}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=REPLAY_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmlearnError(f"the firmware did not run ({error})", program) from error
    if done.returncode != 0:
        last = " / ".join((done.stdout + done.stderr).split("\n")[-4:]).strip()
        raise EmlearnError(f"the firmware stopped with exit code {done.returncode}: {last}", recording)
    return [native.wire_decode(line)[0] for line in done.stdout.splitlines() if line.startswith(LINE_START)]
