# SPDX-License-Identifier: Apache-2.0
"""Devicetree of har_imu on each board of its sample.yaml, with a compiler or without; wiring in its README.

Zephyr's own devicetree library reads board, shield and overlays as a build does.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from emlearn_tools import zephyr_tree

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "har_imu"
SCENARIOS = yaml.safe_load((SAMPLE / "sample.yaml").read_text(encoding="utf-8"))["tests"]
PREFIX = "emlearn.har_imu"
TREE = zephyr_tree.find(ROOT)

DK = "nrf52840dk/nrf52840"
S3 = "esp32s3_devkitc/esp32s3/procpu"

IMUS = {
    ("", "native_sim/native/64"): "emlearn,replay-imu",
    ("", "qemu_cortex_m3"): "emlearn,replay-imu",
    ("", "mps2/an385"): "emlearn,replay-imu",
    ("", DK): "emlearn,replay-imu",
    ("read_only", DK): "emlearn,replay-imu",
    ("fifo", "native_sim/native/64"): "st,lsm6dsl",
    ("fifo", "qemu_cortex_m3"): "st,lsm6dsl",
    ("fifo", "mps2/an385"): "st,lsm6dsl",
    ("stream", "native_sim/native/64"): "invensense,icm42688",
    ("stream", "qemu_cortex_m3"): "invensense,icm42688",
    ("stream", "mps2/an385"): "invensense,icm42688",
    ("board", "xiao_ble/nrf52840/sense"): "st,lsm6dsl",
    ("board", "m5stack_cores3/esp32s3/procpu"): "bosch,bmi270",
    ("board", "m5stack_atoms3/esp32s3/procpu"): "invensense,mpu6050",
    ("board", "twatch_s3/esp32s3/procpu"): "bosch,bma4xx",
    ("shield_lsm6dsl", DK): "st,lsm6dsl",
    ("shield_lsm6dsl", S3): "st,lsm6dsl",
    ("shield_icm42688", DK): "invensense,icm42688",
    ("shield_icm42688", S3): "invensense,icm42688",
}
"""Scenario and board -> the compatible of the IMU that the reader gets."""

WITHOUT_LINE = {"emlearn,replay-imu", "bosch,bmi270", "invensense,mpu6050"}
"""IMUs that are read without an interrupt line on these boards."""


def scenario(name: str) -> dict:
    return SCENARIOS[f"{PREFIX}.{name}" if name else PREFIX]


def cmake_arguments(name: str) -> dict[str, str]:
    arguments = scenario(name).get("extra_args", [])
    arguments = arguments if isinstance(arguments, list) else [arguments]
    return dict(argument.split("=", 1) for argument in arguments)


def stems(board: str) -> list[str]:
    """Names of a board's files: the chip is left out where the board has only one."""
    name, *qualifiers = board.split("/")
    return sorted({"_".join([name, *qualifiers]), "_".join([name, *qualifiers[1:]])})


def find_overlay(folder: Path, board: str) -> list[Path]:
    """The overlay for a board in a folder boards/."""
    return [file for stem in stems(board) if (file := folder / f"{stem}.overlay").is_file()]


def sources(name: str, board: str) -> list[Path]:
    """Board, shield and application, in the order in which a build reads them."""
    arguments = cmake_arguments(name)
    (board_file,) = (
        file for stem in stems(board) for file in sorted((TREE.base / "boards").glob(f"*/*/{stem}.dts"))
    )
    found = [board_file]
    if "SHIELD" in arguments:
        folder = ROOT / "boards" / "shields" / arguments["SHIELD"]
        found += [folder / f"{arguments['SHIELD']}.overlay", *find_overlay(folder / "boards", board)]
    if "DTC_OVERLAY_FILE" in arguments:
        found.append(SAMPLE / arguments["DTC_OVERLAY_FILE"])
    else:
        found += find_overlay(SAMPLE / "boards", board) or [SAMPLE / "app.overlay"]
    return found


def devicetree(name: str, board: str, folder: Path):
    """The tree of a scenario on a board, as Zephyr's edtlib.EDT."""
    library = TREE.base / "scripts" / "dts" / "python-devicetree" / "src"
    if str(library) not in sys.path:
        sys.path.append(str(library))
    from devicetree import edtlib

    places = ["include", "include/zephyr", "dts/common", "dts/vendor", "dts"]
    places += [path.relative_to(TREE.base).as_posix() for path in sorted((TREE.base / "dts").iterdir())]
    command = ["gcc", "-E", "-P", "-x", "assembler-with-cpp", "-nostdinc", "-undef", "-D__DTS__"]
    command += [f"-isystem{TREE.base / place}" for place in places if (TREE.base / place).is_dir()]
    files = sources(name, board)
    command += [f"-I{files[0].parent}"]
    for file in files:
        command += ["-include", str(file)]
    text = subprocess.run([*command, "/dev/null"], check=True, capture_output=True, text=True).stdout
    flat = folder / "flat.dts"
    flat.write_text(text, encoding="utf-8")
    bindings = [str(TREE.base / "dts" / "bindings"), str(ROOT / "dts" / "bindings")]
    return edtlib.EDT(str(flat), bindings, warn_reg_unit_address_mismatch=False)


def why_not() -> str:
    if TREE is None:
        return "no Zephyr found"
    return "" if shutil.which("gcc") else "no gcc"


needs_zephyr = pytest.mark.skipif(bool(why_not()), reason=why_not() or "all there")
EVERY = [pytest.param(*where, id=f"{where[0] or 'har_imu'} on {where[1]}") for where in IMUS]


def test_every_scenario_and_board_is_looked_at():
    asked = {
        (name.removeprefix(PREFIX).removeprefix("."), board)
        for name, keys in SCENARIOS.items()
        for board in keys["platform_allow"]
    }
    assert set(IMUS) == asked


def interrupt_of(imu):
    """(controller's label, pin, flags) of the interrupt line of a sensor, None without one."""
    for name in ("irq-gpios", "int-gpios", "int1-gpios"):
        if name in imu.props:
            entry = imu.props[name].val[0]
            return entry.controller.labels[0], entry.data["pin"], entry.data["flags"]
    return None


@needs_zephyr
@pytest.mark.parametrize(("name", "board"), EVERY)
def test_the_reader_gets_the_imu_that_is_there(name: str, board: str, tmp_path: Path):
    tree = devicetree(name, board, tmp_path)
    imu = tree.chosen_node("emlearn,imu")
    assert imu is not None
    assert imu.compats[0] == IMUS[name, board]
    assert imu.status == "okay"
    assert imu.bus_node is None or imu.bus_node.status == "okay"
    assert (interrupt_of(imu) is None) == (imu.compats[0] in WITHOUT_LINE)
    if imu.compats[0] != "emlearn,replay-imu":
        assert "emlearn,replay-imu" not in tree.compat2okay


@needs_zephyr
@pytest.mark.parametrize(
    ("name", "board"), [("shield_icm42688", DK), ("shield_icm42688", S3), ("stream", DK)]
)
def test_an_icm42688_is_powered_and_streams_in_high_resolution(name: str, board: str, tmp_path: Path):
    imu = devicetree(name, board, tmp_path).chosen_node("emlearn,imu")
    # The values of PWR_MGMT0, ACCEL_CONFIG0 and GYRO_CONFIG0: low noise, 50 Hz, 4 g, 500 degrees per second.
    expected = {
        "accel-pwr-mode": 3,
        "gyro-pwr-mode": 3,
        "accel-odr": 9,
        "gyro-odr": 9,
        "accel-fs": 2,
        "gyro-fs": 2,
    }
    assert {key: imu.props[key].val for key in expected} == expected
    assert imu.props["fifo-hires"].val is True


@needs_zephyr
def test_the_power_of_the_xiao_s_imu_is_turned_on_at_boot(tmp_path: Path):
    tree = devicetree("board", "xiao_ble/nrf52840/sense", tmp_path)
    (regulator,) = [
        node
        for node in tree.compat2okay["regulator-fixed"]
        if node.props["regulator-name"].val == "LSM6DS3TR_C_EN"
    ]
    assert regulator.props["regulator-boot-on"].val is True
    conf = (SAMPLE / "boards" / "xiao_ble_nrf52840_sense.conf").read_text(encoding="utf-8")
    assert "CONFIG_REGULATOR=y" in conf.splitlines()


def wiring(chip: str) -> dict[str, dict[str, str]]:
    """The table for a chip in the README: pin of the chip -> board -> where it leads."""
    text = (SAMPLE / "README.rst").read_text(encoding="utf-8")
    (table,) = re.findall(rf"^=+ =+ =+\n{chip} .*\n=+ =+ =+\n((?:.*\n)*?)=+ =+ =+$", text, re.MULTILINE)
    rows = [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()]
    return {pin: {DK: dk, S3: s3} for pins, dk, s3 in rows for pin in pins.split(", ")}


def pin_of(text: str) -> tuple[str, int]:
    """P1.03 or GPIO 4 -> (controller's label, pin)."""
    nordic = re.search(r"P(\d)\.(\d+)", text)
    if nordic:
        return f"gpio{nordic[1]}", int(nordic[2])
    number = int(re.fullmatch(r"GPIO (\d+)", text)[1])
    return f"gpio{number // 32}", number % 32


NORDIC_SIGNALS = {12: "SDA", 11: "SCL", 4: "SCK", 5: "MOSI", 6: "MISO"}
"""Functions of NRF_PSEL() (nrf-pinctrl.h)."""

ESP32S3_SIGNALS = {90: "SDA", 89: "SCL", 101: "SCK", 103: "MOSI", 102: "MISO", 110: "CS"}
"""Signals of the GPIO matrix (data sheet of ESP32-S3, esp32s3-gpio-sigmap.h): I2C 0 and SPI 2."""

NO_SIGNAL = 0x1FF


def bus_pins(imu, board: str) -> dict[str, tuple[str, int]]:
    """Signal of the bus -> (controller's label, pin), from the pin control of the bus and its chip select."""
    pins = {}
    for group in imu.bus_node.pinctrls[0].conf_nodes[0].children.values():
        if board == DK:
            for value in group.props["psels"].val:
                number = value & 0x1FF
                pins[NORDIC_SIGNALS[value >> 24]] = (f"gpio{number // 32}", number % 32)
        else:
            for value in group.props["pinmux"].val:
                number, signal_in, signal_out = value & 0x3F, value >> 6 & 0x1FF, value >> 15 & 0x1FF
                signal = signal_in if signal_out == NO_SIGNAL else signal_out
                pins[ESP32S3_SIGNALS[signal]] = (f"gpio{number // 32}", number % 32)
    if "cs-gpios" in imu.bus_node.props:
        entry = imu.bus_node.props["cs-gpios"].val[imu.regs[0].addr]
        pins["CS"] = (entry.controller.labels[0], entry.data["pin"])
    return pins


SPI = {"SCLK": "SCK", "SCL": "SCK", "SDI": "MOSI", "SDA": "MOSI", "SDO": "MISO", "AD0": "MISO", "CS": "CS"}
I2C = {"SDA": "SDA", "SCL": "SCL"}


@needs_zephyr
@pytest.mark.parametrize("board", [DK, S3])
@pytest.mark.parametrize(
    ("chip", "signals"), [("LSM6DSL", I2C), ("ICM-42688", SPI)], ids=["LSM6DSL", "ICM-42688"]
)
def test_the_readme_tells_the_wiring_of_the_devicetree(chip: str, signals: dict, board: str, tmp_path: Path):
    shield = f"shield_{chip.lower().replace('-', '')}"
    imu = devicetree(shield, board, tmp_path).chosen_node("emlearn,imu")
    table = wiring(chip)
    told = {pin: pin_of(table[pin][board]) for pin in (*signals, "INT1")}
    line, pin, flags = interrupt_of(imu)
    assert told.pop("INT1") == (line, pin)
    assert flags == 0, "the line of these chips is active high"
    pins = bus_pins(imu, board)
    assert told == {pin: pins[signal] for pin, signal in signals.items()}
    if chip == "LSM6DSL":
        assert imu.regs[0].addr == 0x6A
        assert table["SA0"][board] == "GND"
