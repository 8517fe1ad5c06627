# SPDX-License-Identifier: Apache-2.0
"""The tests that need Zephyr: twister over samples/ and tests/zephyr/ with the tree that this machine has.

`python tests/zephyr_tier.py` runs them and says in its last lines what ran, what was only built, and what was
skipped and why; it fails if a configuration failed or was only built where it could have been executed.
"""

import argparse
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts" / "west_commands"))

from emlearn_tools import zephyr_tree  # noqa: E402

TEST_FOLDERS = ("samples", "tests/zephyr")
REPORT = "twister.json"
EXTRA_MODULES = ("hal_st",)
"""Modules that no board needs, but drivers of scenarios with a filter."""


class Board(NamedTuple):
    """A board that twister can build for.

    core: "host", "arm" or "esp32s3". modules: what it cannot do without. simulator: what executes it.
    """

    name: str
    core: str
    modules: tuple[str, ...]
    simulator: str | None


BOARDS = (
    Board("native_sim/native/64", "host", (), "the host"),
    Board("qemu_cortex_m3", "arm", ("cmsis_6", "picolibc"), "qemu-system-arm"),
    Board("mps2/an385", "arm", ("cmsis_6", "picolibc"), "qemu-system-arm"),
    Board("nrf52840dk/nrf52840", "arm", ("cmsis_6", "hal_nordic", "picolibc"), None),
    Board("xiao_ble/nrf52840/sense", "arm", ("cmsis_6", "hal_nordic", "picolibc"), None),
    Board("esp32s3_devkitc/esp32s3/procpu", "esp32s3", ("hal_espressif", "picolibc"), None),
    Board("m5stack_cores3/esp32s3/procpu", "esp32s3", ("hal_espressif", "picolibc"), None),
    Board("m5stack_atoms3/esp32s3/procpu", "esp32s3", ("hal_espressif", "picolibc"), None),
    Board("twatch_s3/esp32s3/procpu", "esp32s3", ("hal_espressif", "picolibc"), None),
)

PACKAGES = (
    "anytree colorama elftools jsonschema junitparser natsort packaging "
    "ply psutil pykwalify serial tabulate yaml"
).split()
"""What twister and the build scripts import and scripts/requirements-firmware.txt installs."""


@dataclass
class Plan:
    """What can be run here. skipped: `what: why` for the rest; empty command where nothing can."""

    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    boards: list[Board] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass
class Result:
    """What happened to each configuration, `scenario on board`, and `what: why` for what was skipped."""

    executed: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def module_paths(tree: zephyr_tree.Tree) -> dict[str, Path]:
    """Modules that lie beside the tree, by name, where zephyr/west.yml puts them."""
    import yaml

    manifest = yaml.safe_load((tree.base / "west.yml").read_text(encoding="utf-8"))
    paths = {}
    for project in manifest["manifest"]["projects"]:
        path = tree.base.parent / project.get("path", project["name"])
        if path.is_dir() and any(path.iterdir()):
            paths[project["name"]] = path
    return paths


def plan(output: Path, n_jobs: int, environ: Mapping[str, str] | None = None, *, soak: bool = False) -> Plan:
    """Find tree, modules, compilers and simulators, and make the command line of twister from them.

    soak: also what the YAML files call slow.
    """
    environ = os.environ if environ is None else environ
    result = Plan()
    tree = zephyr_tree.find(ROOT, environ)
    if tree is None:
        result.skipped.append(
            "Zephyr: no tree found by ZEPHYR_BASE, a west workspace around the checkout, "
            "or CMake's package registry"
        )
        return result
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        result.skipped.append(
            f"Zephyr: Python lacks {', '.join(missing)} (pip install -r scripts/requirements-firmware.txt)"
        )
        return result
    programs = [name for name in ("cmake", "ninja", "dtc") if shutil.which(name) is None]
    if programs:
        result.skipped.append(f"Zephyr: {', '.join(programs)} not installed")
        return result

    modules = module_paths(tree)
    toolchain = cross_toolchain(environ)
    wanted = sorted({name for board in BOARDS for name in board.modules}.union(EXTRA_MODULES))
    absent = [name for name in wanted if name not in modules]
    if absent:
        result.skipped.append(f"Zephyr modules not beside {tree.base}: {', '.join(absent)}")
    for board in BOARDS:
        reason = _unavailable(board, modules, toolchain, environ)
        if reason:
            result.skipped.append(f"Zephyr on {board.name}: {reason}")
        else:
            result.boards.append(board)
    if not result.boards:
        return result

    needed = {name for board in result.boards for name in board.modules}
    needed.update(name for name in EXTRA_MODULES if name in modules)
    paths = [ROOT, *(modules[name] for name in sorted(needed))]
    variables = {
        "ZEPHYR_MODULES": ";".join(str(path) for path in paths),
        "Python3_EXECUTABLE": sys.executable,
    }
    result.command = [
        sys.executable,
        str(tree.base / "scripts" / "twister"),
        # Warnings of Zephyr itself are not ours to judge; our own sources are built with -Werror.
        "--disable-warnings-as-errors",
        "--no-detailed-test-id",
        f"--jobs={n_jobs}",
        f"--outdir={output}",
        "--clobber-output",
        # Twister would build what it calls slow all the same, so they carry a tag.
        *(["--enable-slow"] if soak else ["--exclude-tag=soak"]),
        *(f"--testsuite-root={ROOT / folder}" for folder in TEST_FOLDERS),
        *(f"--platform={board.name}" for board in result.boards),
        *(f"--extra-args={name}={value}" for name, value in variables.items()),
    ]
    # With the interpreter that runs this first on the PATH, build scripts find the same packages.
    path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    result.environment = {
        **environ,
        "ZEPHYR_BASE": str(tree.base),
        "PATH": path,
        **(toolchain or {"ZEPHYR_TOOLCHAIN_VARIANT": "host"}),
    }
    result.environment.pop("PYTHONPATH", None)
    return result


def sdk_folders(environ: Mapping[str, str]) -> list[Path]:
    """Where Zephyr's SDK is installed: as the environment says, or as it registered itself with CMake."""
    if environ.get("ZEPHYR_SDK_INSTALL_DIR"):
        return [Path(environ["ZEPHYR_SDK_INSTALL_DIR"])]
    home = Path(environ.get("HOME") or Path.home())
    entries = sorted((home / ".cmake" / "packages" / "Zephyr-sdk").glob("*"))
    return [Path(entry.read_text(encoding="utf-8").strip()).parent for entry in entries]


def cross_toolchain(environ: Mapping[str, str]) -> dict[str, str] | None:
    """Variables that choose a compiler for Arm: the user's choice, Zephyr's SDK, or arm-none-eabi-gcc."""
    variant = environ.get("ZEPHYR_TOOLCHAIN_VARIANT")
    if variant and variant != "host":
        return {"ZEPHYR_TOOLCHAIN_VARIANT": variant}
    if sdk_folders(environ):
        return {"ZEPHYR_TOOLCHAIN_VARIANT": "zephyr"}
    gcc = shutil.which("arm-none-eabi-gcc", path=environ.get("PATH"))
    if gcc:
        folder = Path(gcc).resolve().parents[1] if not Path(gcc).is_symlink() else Path(gcc).parents[1]
        return {"ZEPHYR_TOOLCHAIN_VARIANT": "gnuarmemb", "GNUARMEMB_TOOLCHAIN_PATH": str(folder)}
    return None


def _unavailable(
    board: Board,
    modules: Mapping[str, Path],
    toolchain: Mapping[str, str] | None,
    environ: Mapping[str, str],
) -> str | None:
    """Why a board cannot be tested here, None if it can."""
    absent = [name for name in board.modules if name not in modules]
    if absent:
        return f"lacks {', '.join(absent)}"
    if board.core == "arm":
        if toolchain is None:
            return "no compiler for Arm (arm-none-eabi-gcc or Zephyr's SDK)"
        if board.simulator and shutil.which(board.simulator) is None:
            return f"{board.simulator} not installed"
        return None
    if board.core == "esp32s3":
        # One run of twister has one variant of toolchains; of those the SDK has this compiler beside Arm's.
        uses_sdk = toolchain is not None and toolchain["ZEPHYR_TOOLCHAIN_VARIANT"].startswith("zephyr")
        if not uses_sdk or not any(map(_has_esp32s3, sdk_folders(environ))):
            return "no compiler for ESP32-S3 (xtensa-espressif_esp32s3_zephyr-elf of Zephyr's SDK)"
        return None if shutil.which("esptool") else "esptool not installed"
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
        return f"needs 64-bit Linux, this is {platform.system()} on {platform.machine()}"
    return None if shutil.which("gcc") else "gcc not installed"


def _has_esp32s3(sdk: Path) -> bool:
    """Is the compiler installed? It is a part of its own, which from SDK 1.0 on lies one folder deeper."""
    return any((sdk / folder / "xtensa-espressif_esp32s3_zephyr-elf").is_dir() for folder in (".", "gnu"))


def configurations(boards: Sequence[Board], *, soak: bool = False) -> dict[tuple[str, str], bool]:
    """What the YAML files ask of these boards: (scenario, board) -> whether it must be executed.

    soak: also what they call slow.
    """
    import yaml

    found = {}
    for folder in TEST_FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.yaml")):
            if file.name not in ("sample.yaml", "testcase.yaml"):
                continue
            suite = yaml.safe_load(file.read_text(encoding="utf-8"))
            for scenario, own in suite["tests"].items():
                keys = {**suite.get("common", {}), **(own or {})}
                if keys.get("slow", False) and not soak:
                    continue
                for board in boards:
                    if board.name in keys["platform_allow"]:
                        found[scenario, board.name] = bool(board.simulator) and not keys.get(
                            "build_only", False
                        )
    return found


def judge(report: Mapping, expected: Mapping[tuple[str, str], bool]) -> Result:
    """Sort the configurations of a twister.json against what was expected of them."""
    result = Result()
    done = {(suite["name"], suite["platform"]): suite for suite in report["testsuites"]}
    for (scenario, board), must_run in expected.items():
        # Twister writes qemu_cortex_m3 as qemu_cortex_m3/ti_lm3s6965.
        suites = [
            suite
            for (name, where), suite in done.items()
            if name == scenario and f"{where}/".startswith(f"{board}/")
        ]
        what = f"{scenario} on {board}"
        suite = suites[0] if suites else {"status": "not in the report"}
        status = suite["status"]
        if status == "passed" and suite["runnable"]:
            result.executed.append(what)
        elif status in ("passed", "not run") and not must_run:
            result.built.append(what)
        elif status in ("passed", "not run"):
            result.failed.append(f"{what}: was built but not executed")
        else:
            result.failed.append(f"{what}: {suite.get('reason') or status}")
    return result


def run(output: Path, n_jobs: int = 2, *, soak: bool = False) -> Result:
    """Run twister; its output goes to the terminal, its files to `output`."""
    todo = plan(output, n_jobs, soak=soak)
    if not todo.command:
        return Result(skipped=todo.skipped)
    print("$ " + " ".join(todo.command), flush=True)
    code = subprocess.run(todo.command, cwd=ROOT, env=todo.environment, check=False).returncode
    try:
        report = json.loads((output / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return Result(failed=[f"twister ended with {code} and no report ({error})"], skipped=todo.skipped)
    result = judge(report, configurations(todo.boards, soak=soak))
    result.skipped = todo.skipped
    if code != 0 and not result.failed:
        result.failed.append(f"twister ended with {code}")
    if not result.executed and not result.failed:
        result.failed.append("twister executed nothing")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tier and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "twister", metavar="DIR")
    parser.add_argument("-j", "--jobs", type=int, default=2, metavar="N")
    parser.add_argument(
        "--show", action="store_true", help="print the command line and what it leaves out, run nothing"
    )
    parser.add_argument("--soak", action="store_true", help="also the scenarios that take an hour or more")
    args = parser.parse_args(argv)
    if args.show:
        todo = plan(args.output, args.jobs, soak=args.soak)
        print(" ".join(todo.command))
        result = Result(skipped=todo.skipped)
    else:
        result = run(args.output, args.jobs, soak=args.soak)
    for title in ("executed", "built", "failed", "skipped"):
        for line in getattr(result, title):
            print(f"{'only built' if title == 'built' else title}: {line}")
    print(f"{len(result.executed)} executed, {len(result.built)} only built, {len(result.failed)} failed")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
