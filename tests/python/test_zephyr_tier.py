# SPDX-License-Identifier: Apache-2.0
"""tests/zephyr_tier.py: what it finds on a machine, and how it judges what twister did."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("zephyr_tier", ROOT / "tests" / "zephyr_tier.py")
tier = importlib.util.module_from_spec(_spec)
sys.modules["zephyr_tier"] = tier
_spec.loader.exec_module(tier)

PROJECTS = {
    "cmsis_6": "modules/hal/cmsis_6",
    "hal_espressif": "modules/hal/espressif",
    "hal_nordic": "modules/hal/nordic",
    "hal_st": "modules/hal/st",
    "picolibc": "modules/lib/picolibc",
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Zephyr tree, by its looks, with all modules beside it; every program and package is there."""
    base = tmp_path / "zephyr"
    (base / "cmake" / "modules").mkdir(parents=True)
    (base / "VERSION").write_text("VERSION_MAJOR = 4\nVERSION_MINOR = 3\nPATCHLEVEL = 0\n", encoding="utf-8")
    lines = "".join(f"    - name: {name}\n      path: {path}\n" for name, path in PROJECTS.items())
    (base / "west.yml").write_text(f"manifest:\n  projects:\n{lines}", encoding="utf-8")
    for path in PROJECTS.values():
        (tmp_path / path / "zephyr").mkdir(parents=True)
    monkeypatch.setattr(tier.shutil, "which", lambda name, path=None: f"{tmp_path}/usr/bin/{name}")
    monkeypatch.setattr(tier, "PACKAGES", ())
    monkeypatch.setattr(tier.platform, "system", lambda: "Linux")
    monkeypatch.setattr(tier.platform, "machine", lambda: "x86_64")
    return tmp_path


def plan(workspace: Path, *, soak: bool = False, **environ: str):
    base = {"ZEPHYR_BASE": str(workspace / "zephyr"), "HOME": str(workspace)}
    return tier.plan(workspace / "out", 2, {**base, **environ}, soak=soak)


@pytest.fixture(params=[".", "gnu"], ids=["SDK 0.x", "SDK 1.x"])
def sdk(workspace: Path, request: pytest.FixtureRequest) -> str:
    """Zephyr's SDK with the compiler for ESP32-S3, where each generation of it has that."""
    (workspace / "sdk" / request.param / "xtensa-espressif_esp32s3_zephyr-elf").mkdir(parents=True)
    return str(workspace / "sdk")


def names(boards) -> list[str]:
    return [board.name for board in boards]


WITHOUT_SDK = [board for board in tier.BOARDS if board.core != "esp32s3"]
ESP32S3 = [board for board in tier.BOARDS if board.core == "esp32s3"]


def extra(todo, name: str) -> str:
    """The value of an extra CMake argument."""
    (value,) = [part for part in todo.command if part.startswith(f"--extra-args={name}=")]
    return value.split("=", 2)[2]


def test_all_boards_run_where_everything_is_there(workspace: Path, sdk: str):
    todo = plan(workspace, ZEPHYR_SDK_INSTALL_DIR=sdk)
    assert names(todo.boards) == names(tier.BOARDS)
    assert todo.skipped == []
    assert todo.command[1] == str(workspace / "zephyr" / "scripts" / "twister")
    assert extra(todo, "ZEPHYR_MODULES").split(";") == [
        str(ROOT),
        *(str(workspace / path) for path in PROJECTS.values()),
    ]
    assert extra(todo, "Python3_EXECUTABLE") == sys.executable
    assert todo.environment["ZEPHYR_TOOLCHAIN_VARIANT"] == "zephyr"
    assert todo.environment["PATH"].startswith(str(Path(sys.executable).parent))


def test_an_sdk_that_registered_itself_with_cmake_is_found(workspace: Path, sdk: str):
    registry = workspace / ".cmake" / "packages" / "Zephyr-sdk"
    registry.mkdir(parents=True)
    (registry / "0123").write_text(f"{sdk}/cmake", encoding="utf-8")
    assert names(plan(workspace).boards) == names(tier.BOARDS)


def test_without_the_sdk_esp32s3_is_left_out_with_a_reason(workspace: Path):
    todo = plan(workspace)
    assert names(todo.boards) == names(WITHOUT_SDK)
    assert PROJECTS["hal_espressif"] not in extra(todo, "ZEPHYR_MODULES")
    assert len(ESP32S3) == 4
    for line, board in zip(todo.skipped, ESP32S3, strict=True):
        assert line.startswith(f"Zephyr on {board.name}: no compiler for ESP32-S3")
    assert todo.environment["ZEPHYR_TOOLCHAIN_VARIANT"] == "gnuarmemb"
    assert todo.environment["GNUARMEMB_TOOLCHAIN_PATH"] == f"{workspace}/usr"


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param({"ZEPHYR_SDK_INSTALL_DIR": "{workspace}/other"}, id="an SDK without that compiler"),
        pytest.param(
            {"ZEPHYR_SDK_INSTALL_DIR": "{sdk}", "ZEPHYR_TOOLCHAIN_VARIANT": "gnuarmemb"},
            id="another compiler",
        ),
    ],
)
def test_an_sdk_that_is_not_used_or_not_whole_is_no_compiler_for_esp32s3(workspace: Path, sdk: str, choice):
    environ = {name: value.format(workspace=workspace, sdk=sdk) for name, value in choice.items()}
    assert names(plan(workspace, **environ).boards) == names(WITHOUT_SDK)


def test_esp32s3_needs_esptool(workspace: Path, sdk: str, monkeypatch: pytest.MonkeyPatch):
    found = tier.shutil.which
    monkeypatch.setattr(tier.shutil, "which", lambda name, path=None: name != "esptool" and found(name))
    todo = plan(workspace, ZEPHYR_SDK_INSTALL_DIR=sdk)
    assert names(todo.boards) == names(WITHOUT_SDK)
    assert todo.skipped == [f"Zephyr on {board.name}: esptool not installed" for board in ESP32S3]


def test_a_missing_module_that_no_board_needs_is_named_alone(workspace: Path, sdk: str):
    (workspace / PROJECTS["hal_st"] / "zephyr").rmdir()
    todo = plan(workspace, ZEPHYR_SDK_INSTALL_DIR=sdk)
    assert names(todo.boards) == names(tier.BOARDS)
    assert len(todo.skipped) == 1 and todo.skipped[0].endswith(": hal_st")
    assert PROJECTS["hal_st"] not in extra(todo, "ZEPHYR_MODULES")


def test_a_missing_module_is_named_with_the_boards_that_lack_it(workspace: Path, sdk: str):
    (workspace / PROJECTS["hal_nordic"] / "zephyr").rmdir()
    todo = plan(workspace, ZEPHYR_SDK_INSTALL_DIR=sdk)
    assert names(todo.boards) == [
        "native_sim/native/64",
        "qemu_cortex_m3",
        "mps2/an385",
        *names(ESP32S3),
    ]
    assert "hal_nordic" in todo.skipped[0]
    assert todo.skipped[1:] == [
        f"Zephyr on {name}: lacks hal_nordic" for name in ("nrf52840dk/nrf52840", "xiao_ble/nrf52840/sense")
    ]
    assert "nrf52840dk" not in " ".join(todo.command)


def test_without_a_tree_nothing_runs_and_the_reason_is_said(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tier.zephyr_tree, "find", lambda start, environ: None)
    todo = plan(workspace)
    assert todo.command == []
    assert "no tree found" in todo.skipped[0]


def test_without_the_packages_of_twister_nothing_runs_and_they_are_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tier, "PACKAGES", ("json", "no_such_package"))
    todo = plan(workspace)
    assert todo.command == []
    assert "no_such_package" in todo.skipped[0]
    assert "json" not in todo.skipped[0]


@pytest.mark.parametrize(
    ("absent", "left", "reason"),
    [
        ("cmake", lambda board: False, "cmake not installed"),
        ("gcc", lambda board: board.core != "host", "gcc not installed"),
        ("arm-none-eabi-gcc", lambda board: board.core == "host", "no compiler for Arm"),
        (
            "qemu-system-arm",
            lambda board: board.simulator != "qemu-system-arm",
            "qemu-system-arm not installed",
        ),
    ],
)
def test_a_missing_program_leaves_out_only_what_needs_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, absent: str, left, reason: str
):
    found = tier.shutil.which
    monkeypatch.setattr(tier.shutil, "which", lambda name, path=None: None if name == absent else found(name))
    todo = plan(workspace)
    assert names(todo.boards) == names(filter(left, WITHOUT_SDK))
    assert any(reason in line for line in todo.skipped)


def test_the_host_alone_is_used_where_there_is_no_compiler_for_arm(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tier, "cross_toolchain", lambda environ: None)
    assert plan(workspace).environment["ZEPHYR_TOOLCHAIN_VARIANT"] == "host"


def test_the_user_s_choice_of_a_compiler_and_zephyr_s_sdk_go_first(workspace: Path):
    assert tier.cross_toolchain({"ZEPHYR_TOOLCHAIN_VARIANT": "llvm"}) == {"ZEPHYR_TOOLCHAIN_VARIANT": "llvm"}
    assert tier.cross_toolchain({"ZEPHYR_SDK_INSTALL_DIR": "/sdk", "HOME": str(workspace)}) == {
        "ZEPHYR_TOOLCHAIN_VARIANT": "zephyr"
    }


def test_another_system_cannot_run_native_sim(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tier.platform, "system", lambda: "Darwin")
    todo = plan(workspace)
    assert "native_sim/native/64" not in [board.name for board in todo.boards]


def suite(name: str, platform: str, status: str, runnable: bool = True, **more: str) -> dict:
    return {"name": name, "platform": platform, "status": status, "runnable": runnable, **more}


def judge(*suites: dict, **expected: bool):
    names = {"run": ("a.run", "qemu_cortex_m3"), "build": ("a.build", "nrf52840dk/nrf52840")}
    return tier.judge({"testsuites": list(suites)}, {names[key]: value for key, value in expected.items()})


def test_what_ran_and_what_was_only_built_are_told_apart():
    result = judge(
        suite("a.run", "qemu_cortex_m3/ti_lm3s6965", "passed"),
        suite("a.build", "nrf52840dk/nrf52840", "not run", runnable=False),
        run=True,
        build=False,
    )
    assert result.executed == ["a.run on qemu_cortex_m3"]
    assert result.built == ["a.build on nrf52840dk/nrf52840"]
    assert result.failed == []


@pytest.mark.parametrize(
    ("suites", "complaint"),
    [
        ([suite("a.run", "qemu_cortex_m3", "not run", runnable=False)], "was built but not executed"),
        ([suite("a.run", "qemu_cortex_m3", "passed", runnable=False)], "was built but not executed"),
        ([suite("a.run", "qemu_cortex_m3", "failed", reason="Timeout")], "Timeout"),
        ([suite("a.run", "qemu_cortex_m3", "error", reason="Build failure")], "Build failure"),
        ([suite("a.run", "qemu_cortex_m3", "skipped")], "skipped"),
        ([suite("a.run", "mps2/an385", "passed")], "not in the report"),
        ([suite("a.other", "qemu_cortex_m3", "passed")], "not in the report"),
    ],
)
def test_what_should_have_run_and_did_not_is_a_failure(suites: list[dict], complaint: str):
    result = judge(*suites, run=True)
    assert result.executed == []
    (line,) = result.failed
    assert line == f"a.run on qemu_cortex_m3: {complaint}"


M5STACK_AND_WATCH = ("m5stack_cores3", "m5stack_atoms3", "twatch_s3")


def test_slow_scenarios_are_for_the_soak_alone(workspace: Path, sdk: str):
    everything = tier.configurations(tier.BOARDS, soak=True)
    ordinary = tier.configurations(tier.BOARDS)
    slow = {scenario for scenario, _ in set(everything) - set(ordinary)}
    assert slow == {"emlearn.zephyr.imu_fifo.soak", "emlearn.zephyr.imu_stream.soak"}
    command = plan(workspace, ZEPHYR_SDK_INSTALL_DIR=sdk).command
    assert "--exclude-tag=soak" in command and "--enable-slow" not in command
    command = plan(workspace, soak=True, ZEPHYR_SDK_INSTALL_DIR=sdk).command
    assert "--exclude-tag=soak" not in command and "--enable-slow" in command


def test_the_yaml_files_say_what_to_expect():
    expected = tier.configurations(tier.BOARDS)
    assert expected["emlearn.core.vectors", "mps2/an385"] is True
    assert expected["emlearn.core.vectors", "native_sim/native/64"] is True
    assert expected["emlearn.har_imu", "nrf52840dk/nrf52840"] is False
    assert expected["emlearn.har_imu.read_only", "nrf52840dk/nrf52840"] is False
    for scenario in ("emlearn.har_imu", "emlearn.har_imu.fifo", "emlearn.har_imu.stream"):
        for board in ("native_sim/native/64", "qemu_cortex_m3", "mps2/an385"):
            assert expected[scenario, board] is True
    for shield in ("lsm6dsl", "icm42688"):
        for board in ("nrf52840dk/nrf52840", "esp32s3_devkitc/esp32s3/procpu"):
            assert expected[f"emlearn.har_imu.shield_{shield}", board] is False
    for board in ("xiao_ble/nrf52840/sense", *(f"{name}/esp32s3/procpu" for name in M5STACK_AND_WATCH)):
        assert expected["emlearn.har_imu.board", board] is False
    assert ("emlearn.core.vectors", "nrf52840dk/nrf52840") not in expected
    boards = [board for board in tier.BOARDS if board.name == "qemu_cortex_m3"]
    assert {board for _, board in tier.configurations(boards)} == {"qemu_cortex_m3"}
