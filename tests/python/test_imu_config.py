# SPDX-License-Identifier: Apache-2.0
"""Bad devicetree and configuration of an IMU reader: one error each, a sentence that names node and property.

One application is configured with all the bad nodes; each case compiles one file against it.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import test_build_integration
from test_build_integration import BOARD, run, succeeds

pytestmark = test_build_integration.pytestmark

OVERLAY = """
/ {
	replay: replay {
		compatible = "emlearn,replay-imu";
		recording = "walk";
	};
	off: off {
		compatible = "emlearn,replay-imu";
		recording = "walk";
		status = "disabled";
	};
	good_mount: good-mount {
		compatible = "emlearn,imu";
		sensor = <&replay>;
		mount = <2 (-1) (-3)>;
		watermark-frames = <1>;
	};
	same_axis: same-axis {
		compatible = "emlearn,imu";
		sensor = <&replay>;
		mount = <1 (-1) 3>;
	};
	two_axes: two-axes {
		compatible = "emlearn,imu";
		sensor = <&replay>;
		mount = <1 2>;
	};
	four_axes: four-axes {
		compatible = "emlearn,imu";
		sensor = <&replay>;
		mount = <1 2 3 3>;
	};
	fourth_axis: fourth-axis {
		compatible = "emlearn,imu";
		sensor = <&replay>;
		mount = <1 2 4>;
	};
	no_watermark: no-watermark {
		compatible = "emlearn,imu";
		sensor = <&replay>;
		watermark-frames = <0>;
	};
	of_disabled: of-disabled {
		compatible = "emlearn,imu";
		sensor = <&off>;
	};
	of_itself: of-itself {
		compatible = "emlearn,imu";
		sensor = <&of_itself>;
	};
	of_stand_in: of-stand-in {
		compatible = "emlearn,imu";
		sensor = <&good_mount>;
	};
	off_itself: off-itself {
		compatible = "emlearn,imu";
		sensor = <&replay>;
		status = "disabled";
	};
	i2c@5e000000 {
		compatible = "zephyr,i2c-emul-controller";
		reg = <0x5e000000 4>;
		#address-cells = <1>;
		#size-cells = <0>;
		#forward-cells = <1>;
		clock-frequency = <100000>;
		lsm6dsl: lsm6dsl@6a {
			compatible = "st,lsm6dsl";
			reg = <0x6a>;
		};
		bma: bma@18 {
			compatible = "bosch,bma4xx";
			reg = <0x18>;
		};
	};
	spi@5f000000 {
		compatible = "zephyr,spi-emul-controller";
		reg = <0x5f000000 4>;
		#address-cells = <1>;
		#size-cells = <0>;
		icm42688: icm42688@0 {
			compatible = "invensense,icm42688", "invensense,icm4268x";
			reg = <0>;
			spi-max-frequency = <8000000>;
			int-gpios = <&gpio0 0 0>;
			accel-pwr-mode = <3>;
			gyro-pwr-mode = <3>;
			fifo-hires;
		};
	};
	of_lsm6dsl: of-lsm6dsl {
		compatible = "emlearn,imu";
		sensor = <&lsm6dsl>;
		watermark-frames = <227>;
	};
	of_icm42688: of-icm42688 {
		compatible = "emlearn,imu";
		sensor = <&icm42688>;
		watermark-frames = <103>;
	};
};
"""

CONF = """
CONFIG_SENSOR=y
CONFIG_GPIO=y
CONFIG_EMUL=y
CONFIG_EMUL_ICM4268X=n
CONFIG_SPI_RTIO=y
CONFIG_LOG=y
CONFIG_LOG_MODE_MINIMAL=y
CONFIG_EMLEARN=y
CONFIG_EMLEARN_PIPELINE=n
CONFIG_EMLEARN_IMU_READER=y
CONFIG_EMLEARN_IMU_READER_READ=y
CONFIG_EMLEARN_IMU_READER_STREAM=y
CONFIG_EMLEARN_IMU_READER_FIFO=y
"""

CMAKE = """
cmake_minimum_required(VERSION 3.20.0)
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(imu_config)
target_sources(app PRIVATE main.c)
"""

# Wants 50 Hz of a kernel that ticks at 100 Hz.
MAIN = """
#include <emlearn/zephyr/imu_reader.h>
#include <emlearn/zephyr/recording.h>
#include <posix_board_if.h>
const struct emlearn_recording walk_recording = {
    .n_frames = 1, .rate_mhz = 50000, .acc_step_num = 1, .acc_step_den = 16384,
    .sensors = EMLEARN_SENSOR_ACC};
EMLEARN_IMU_READER_POLL_DEFINE(poll, DT_NODELABEL(replay), 32);
EMLEARN_IMU_READER_READ_DEFINE(read, DT_NODELABEL(replay), 32);
int main(void)
{
	const struct emlearn_imu_asked asked = {
		.rate_mhz = 50000, .rate_tolerance_permille = 50, .sensors = EMLEARN_SENSOR_ACC,
		.acc_step = {1, 16384}, .mount = {{0, 1}, {1, 1}, {2, 1}}};
	struct emlearn_imu_got got;

	printk("poll: %d\\n", emlearn_imu_reader_start(&poll.reader, &asked, &got) == -ENOTSUP);
	printk("read: %d\\n", emlearn_imu_reader_start(&read.reader, &asked, &got) == -ENOTSUP);
	posix_exit(0);
}
"""

CASE = """
#include <emlearn/zephyr/imu_reader.h>
EMLEARN_IMU_READER_{back_end}_DEFINE(imu, {node}, {batch});
struct emlearn_imu_reader *reader_of(void)
{{
	return &imu.reader;
}}
"""

PACED = ("POLL", "READ")


class App:
    """A configured application in which single files can be compiled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.build = folder / "build"
        for name, text in (
            ("CMakeLists.txt", CMAKE),
            ("prj.conf", CONF),
            ("app.overlay", OVERLAY),
            ("main.c", MAIN),
        ):
            (folder / name).write_text(text)
        succeeds(
            run(
                *("cmake", "-GNinja", f"-S{folder}", f"-B{self.build}", f"-DBOARD={BOARD}"),
                f"-DPython3_EXECUTABLE={sys.executable}",
            )
        )
        succeeds(run("ninja", "-C", self.build))
        commands = json.loads((self.build / "compile_commands.json").read_text())
        (self.command,) = (one for one in commands if one["file"] == str(folder / "main.c"))

    def errors(self, back_end: str, node: str, batch: str = "32", undefined: Iterable[str] = ()) -> list[str]:
        """What the compiler calls errors in a file that defines this reader, without some options."""
        source = self.folder / "case.c"
        text = "".join(f"#undef {name}\n" for name in undefined)
        source.write_text(text + CASE.format(back_end=back_end, node=node, batch=batch))
        arguments = shlex.split(self.command["command"])
        arguments += ["-fsyntax-only", "-fdiagnostics-color=never"]
        arguments[arguments.index(str(self.folder / "main.c"))] = str(source)
        done = subprocess.run(
            arguments,
            cwd=self.command["directory"],
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        errors = re.findall(r"error: (.*)", done.stderr)
        assert bool(errors) == (done.returncode != 0), done.stderr
        return errors


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    return App(tmp_path_factory.mktemp("imu_config"))


@pytest.mark.parametrize("back_end", PACED)
@pytest.mark.parametrize(
    ("node", "batch"), [("DT_NODELABEL(replay)", "1"), ("DT_NODELABEL(good_mount)", "2 * 16")]
)
def test_a_node_that_can_be_read_compiles(app: App, back_end: str, node: str, batch: str) -> None:
    assert app.errors(back_end, node, batch) == []


BAD_NODES = {
    "DT_CHOSEN(emlearn_imu)": ["no node", "property emlearn,imu of /chosen"],
    "DT_NODELABEL(off)": ["/off: property status must be okay"],
    "DT_NODELABEL(same_axis)": ["/same-axis: property mount must be 1, 2 and 3 in some order"],
    "DT_NODELABEL(misspelt)": ["no node", "misspelt"],
    "DT_NODELABEL(off_itself)": ["/off-itself: property status must be okay"],
    "DT_NODELABEL(of_disabled)": ["/off: property status must be okay", "emlearn,imu"],
    "DT_NODELABEL(two_axes)": ["/two-axes: property mount must be 1, 2 and 3 in some order"],
    "DT_NODELABEL(four_axes)": ["/four-axes: property mount must be 1, 2 and 3 in some order"],
    "DT_NODELABEL(fourth_axis)": ["/fourth-axis: property mount must be 1, 2 and 3 in some order"],
    "DT_NODELABEL(no_watermark)": ["/no-watermark: property watermark-frames must be 1 or more"],
    "DT_NODELABEL(of_itself)": ["/of-itself: property sensor must be a sensor, not a node emlearn,imu"],
    "DT_NODELABEL(of_stand_in)": ["/of-stand-in: property sensor must be a sensor, not a node emlearn,imu"],
}


@pytest.mark.parametrize("node", BAD_NODES)
def test_a_bad_node_is_one_sentence(app: App, node: str) -> None:
    (error,) = app.errors("POLL", node)
    assert all(part in error for part in BAD_NODES[node]), error


@pytest.mark.parametrize("back_end", ["READ", "STREAM", "FIFO"])
@pytest.mark.parametrize("node", list(BAD_NODES))
def test_every_back_end_refuses_a_bad_node_in_the_same_sentence(app: App, back_end: str, node: str) -> None:
    # The sensor behind a bad mount or watermark is one that these two do not read, which is another matter.
    known = back_end == "READ" or not any(
        name in node for name in ("mount", "ax", "no_watermark", "off_itself")
    )
    error, *others = app.errors(back_end, node)
    assert all(part in error for part in BAD_NODES[node]), error
    assert len(others) == (0 if known else 1), others


@pytest.mark.parametrize(
    ("back_end", "node", "batch", "parts"),
    [
        (
            "FIFO",
            "of_lsm6dsl",
            "32",
            ["/of-lsm6dsl: ", "watermark-frames", "4096 bytes", "6 for each sensor"],
        ),
        ("FIFO", "lsm6dsl", "1000", ["/i2c@5e000000/lsm6dsl@6a: ", "a batch", "4096 bytes"]),
        ("STREAM", "of_icm42688", "32", ["/of-icm42688: ", "watermark-frames", "102 frames"]),
        ("STREAM", "icm42688", "103", ["/spi@5f000000/icm42688@0: ", "a batch", "102 frames"]),
    ],
)
def test_a_watermark_that_no_fifo_holds_names_the_node_that_says_it_and_how_much_there_is(
    app: App, back_end: str, node: str, batch: str, parts: list[str]
) -> None:
    (error,) = app.errors(back_end, f"DT_NODELABEL({node})", batch)
    assert all(part in error for part in parts), error


def test_a_driver_that_is_not_built_is_named(app: App) -> None:
    assert app.errors("POLL", "DT_NODELABEL(bma)") == []
    (error,) = app.errors("POLL", "DT_NODELABEL(bma)", undefined=["CONFIG_SENSOR_ASYNC_API"])
    assert "/i2c@5e000000/bma@18: the driver of this sensor needs CONFIG_SENSOR_ASYNC_API" in error


@pytest.mark.parametrize("back_end", PACED)
@pytest.mark.parametrize("batch", ["0", "65536"])
def test_a_batch_that_cannot_be_is_refused(app: App, back_end: str, batch: str) -> None:
    errors = app.errors(back_end, "DT_NODELABEL(replay)", batch)
    assert f"a batch of an IMU reader must be 1 to 65535 frames, not {batch}" in errors[0]


def test_more_memory_blocks_than_rtio_counts_are_refused(app: App) -> None:
    (error,) = app.errors("READ", "DT_NODELABEL(replay)", "2048")
    assert "CONFIG_EMLEARN_IMU_READER_READ_BATCHES" in error


@pytest.mark.parametrize("back_end", ["STREAM", "FIFO"])
def test_a_sensor_that_a_back_end_does_not_know_is_refused(app: App, back_end: str) -> None:
    error = app.errors(back_end, "DT_NODELABEL(replay)")[0]
    assert "/replay: " in error
    assert "another back end" in error


def test_a_kernel_that_ticks_too_slowly_is_named_at_the_start(app: App) -> None:
    text = succeeds(run(app.build / "zephyr" / "zephyr.exe", "-no-rt"))
    line = "replay: 50000 mHz leave less than 3 ticks a sample at CONFIG_SYS_CLOCK_TICKS_PER_SEC=100"
    assert text.count(line) == 2, text
    assert "poll: 1" in text
    assert "read: 1" in text


@pytest.mark.parametrize("back_end", ["READ", "STREAM"])
def test_a_back_end_that_is_asked_for_brings_what_it_needs(app: App, tmp_path: Path, back_end: str) -> None:
    conf = tmp_path / "prj.conf"
    conf.write_text(
        "CONFIG_SENSOR=y\nCONFIG_EMLEARN=y\nCONFIG_EMLEARN_IMU_READER=y\nCONFIG_TIMEOUT_64BIT=n\n"
        f"CONFIG_EMLEARN_IMU_READER_USE_{back_end}=y\n"
    )
    build = tmp_path / "build"
    # No overlay: the driver of icm4268x would bring the asynchronous API by itself.
    arguments = [f"-S{app.folder}", f"-B{build}", f"-DBOARD={BOARD}", f"-DCONF_FILE={conf}"]
    nothing = tmp_path / "nothing.overlay"
    nothing.write_text("")
    arguments += [f"-DDTC_OVERLAY_FILE={nothing}", f"-DPython3_EXECUTABLE={sys.executable}"]
    succeeds(run("cmake", "-GNinja", *arguments))
    options = (build / "zephyr" / ".config").read_text().splitlines()
    for name in (f"EMLEARN_IMU_READER_{back_end}", "SENSOR_ASYNC_API", "TIMEOUT_64BIT"):
        assert f"CONFIG_{name}=y" in options
