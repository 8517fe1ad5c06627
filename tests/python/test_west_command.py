# SPDX-License-Identifier: Apache-2.0
"""`west emlearn` in a west workspace, and the defaults that a user sets with `west config`."""

import argparse
import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from emlearn_tools import artifact, cli
from emlearn_tools.errors import EmlearnError
from model_cases import MODEL
from recording_cases import raw, write_csv

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / "scripts" / "west_commands" / "emlearn_cmd.py"

needs_west = pytest.mark.skipif(importlib.util.find_spec("west") is None, reason="west not installed")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose manifest repository is this module, without Zephyr."""
    top = tmp_path_factory.mktemp("workspace")
    module = top / "emlearn"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "scripts", module / "scripts", ignore=ignored)
    manifest = yaml.safe_load((ROOT / "west.yml").read_text(encoding="utf-8"))["manifest"]
    # Without the projects, which would have to be fetched first.
    text = yaml.safe_dump({"manifest": {"self": manifest["self"]}})
    (module / "west.yml").write_text(text, encoding="utf-8")
    artifact.save(MODEL, top / "har.json")
    assert west(top, "init", "-l", "emlearn").returncode == 0
    return top


def west(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run west in a folder, with no configuration but the workspace's."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "ZEPHYR_BASE")
    }
    environment |= {
        "WEST_CONFIG_GLOBAL": str(folder / "global"),
        "WEST_CONFIG_SYSTEM": str(folder / "system"),
    }
    return subprocess.run(
        [sys.executable, "-m", "west", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_west
def test_west_lists_the_command(workspace: Path):
    assert "emlearn:" in west(workspace, "help").stdout


@needs_west
@pytest.mark.parametrize("arguments", [("emlearn", "--help"), ("help", "emlearn")])
def test_help_lists_the_subcommands(workspace: Path, arguments: tuple[str, ...]):
    done = west(workspace, *arguments)
    assert done.returncode == 0
    assert "usage: west emlearn" in done.stdout
    for name in cli.COMMANDS:
        assert f"\n    {name}" in done.stdout


@needs_west
@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_a_subcommand_comes_from_its_own_parser(workspace: Path, name: str):
    done = west(workspace, "emlearn", name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: west emlearn {name}" in done.stdout
    assert "example" in done.stdout


@needs_west
def test_a_subcommand_that_succeeds_exits_with_0(workspace: Path):
    done = west(workspace, "emlearn", "convert", "har.json", "-o", "out", "--name", "har")
    assert done.returncode == 0, done.stderr
    assert (workspace / "out" / "har.c").is_file()


@needs_west
def test_a_subcommand_that_fails_exits_with_1_through_west(workspace: Path):
    done = west(workspace, "emlearn", "convert", "none.json", "-o", "out", "--name", "har")
    assert done.returncode == 1
    assert "error: none.json: cannot read it" in done.stderr
    assert "Traceback" not in done.stderr


@needs_west
@pytest.mark.parametrize(
    "arguments", [("convert",), ("convert", "har.json", "--nonsense"), ("nonsense",), ()]
)
def test_a_wrong_command_line_exits_with_2(workspace: Path, arguments: tuple[str, ...]):
    done = west(workspace, "emlearn", *arguments)
    assert done.returncode == 2
    assert "usage: west emlearn" in done.stderr


@needs_west
def test_a_default_that_does_not_exist_is_an_error_that_names_it(workspace: Path):
    assert west(workspace, "config", "emlearn.sead", "1").returncode == 0
    try:
        done = west(workspace, "emlearn", "convert", "har.json", "-o", "out", "--name", "har")
    finally:
        assert west(workspace, "config", "-d", "emlearn.sead").returncode == 0
    assert done.returncode == 1
    assert "emlearn.sead" in done.stderr


@needs_west
def test_a_default_of_west_config_reaches_the_subcommand(workspace: Path):
    assert west(workspace, "config", "emlearn.jobs", "many").returncode == 0
    try:
        done = west(workspace, "emlearn", "train", "spec.yaml", "--data", "d", "-o", "m.json")
    finally:
        assert west(workspace, "config", "-d", "emlearn.jobs").returncode == 0
    assert done.returncode == 2
    assert "argument --jobs" in done.stderr
    assert "'many'" in done.stderr


def parse(defaults: dict[str, str], *arguments: str) -> argparse.Namespace:
    """Parse a command line with these defaults."""
    parser = argparse.ArgumentParser()
    cli.add_commands(parser, defaults)
    return parser.parse_args(arguments)


TRAIN = ("train", "spec.yaml", "-o", "m.json")


def test_defaults_have_the_type_of_their_option_and_stand_in_for_required_ones():
    args = parse({"seed": "7", "jobs": "3", "data": "recordings"}, *TRAIN)
    assert args.seed == 7
    assert args.jobs == 3
    assert args.data == [Path("recordings")]


def test_the_command_line_goes_before_the_defaults():
    args = parse({"seed": "7", "data": "recordings"}, *TRAIN, "--seed", "1", "--data", "a", "--data", "b")
    assert args.seed == 1
    assert args.data == [Path("a"), Path("b")]
    # A default is not used up by the first command line.
    parser = argparse.ArgumentParser()
    cli.add_commands(parser, {"data": "recordings"})
    assert parser.parse_args([*TRAIN, "--data", "a"]).data == [Path("a")]
    assert parser.parse_args(TRAIN).data == [Path("recordings")]


def test_without_defaults_required_options_stay_required():
    with pytest.raises(SystemExit):
        parse({}, *TRAIN)


def test_a_default_of_another_option_is_refused():
    with pytest.raises(EmlearnError, match="emlearn.output"):
        parse({"output": "x"}, *TRAIN)


def test_the_west_class_knows_neither_numpy_nor_scikit_learn_nor_any_logic():
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(COMMAND.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"argparse", "sys", "pathlib", "west", "emlearn_tools"}


def test_the_command_loads_without_numpy():
    code = (
        "import sys\n"
        "sys.modules['numpy'] = sys.modules['sklearn'] = sys.modules['yaml'] = None\n"
        f"sys.path.insert(0, {str(COMMAND.parent)!r})\n"
        "import argparse\n"
        "from emlearn_tools import cli\n"
        "cli.add_commands(argparse.ArgumentParser())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_west_yml_pins_zephyr_and_names_this_command():
    manifest = yaml.safe_load((ROOT / "west.yml").read_text(encoding="utf-8"))["manifest"]
    (zephyr,) = manifest["projects"]
    assert zephyr["revision"] == "v4.3.0"
    assert manifest["remotes"] == [
        {"name": zephyr["remote"], "url-base": "https://github.com/zephyrproject-rtos"}
    ]
    assert {"cmsis_6", "hal_nordic", "picolibc"} <= set(zephyr["import"]["name-allowlist"])
    commands = yaml.safe_load((ROOT / manifest["self"]["west-commands"]).read_text(encoding="utf-8"))
    (command,) = commands["west-commands"]
    assert ROOT / command["file"] == COMMAND
    assert command["commands"][0]["name"] == "emlearn"


@pytest.mark.parametrize(
    "arguments", [("synth", "-o", "out"), ("check", "."), ("evaluate", "m", "--data", ".")]
)
def test_a_missing_package_is_named_without_a_traceback(arguments: tuple[str, ...], tmp_path: Path):
    code = (
        "import sys\n"
        "sys.modules['numpy'] = None\n"
        f"sys.path.insert(0, {str(COMMAND.parent)!r})\n"
        "from emlearn_tools import cli\n"
        f"sys.exit(cli.main({list(arguments)!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith(f"error: {arguments[0]} needs numpy, which is missing\n  try: pip install")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_output_to_a_full_disk_is_one_clear_error(options: tuple[str, ...], tmp_path: Path):
    write_csv(raw("walk", [0.0] * 40, ["low"] * 40), tmp_path)
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(COMMAND.parent)!r})\n"
        "from emlearn_tools import cli\n"
        f"sys.exit(cli.main(['check', '.', *{options!r}]))\n"
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "error: the disk is full\n  try: free some space, or another disk\n"
