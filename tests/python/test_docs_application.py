# SPDX-License-Identifier: Apache-2.0
"""The application that the documents describe, put together from their own blocks, built and run.

README has its configuration and C, docs/readers.md the steps that put a recording in place of the sensor.
Other C in the documents is compiled against it.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import test_build_integration
from test_build_integration import BOARD, ROOT, SAMPLE, run, succeeds

pytestmark = test_build_integration.pytestmark

DOCUMENTS = ("README.md", "docs/readers.md", "docs/tutorial.md")


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks of a language, without what indents them in a list."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def block(document: str, language: str, having: str) -> str:
    """The only block that has this."""
    (found,) = [one for one in blocks(document, language) if having in one]
    return found


def application(folder: Path) -> None:
    """Write it as the documents say."""
    (folder / "model").mkdir()
    shutil.copy(SAMPLE / "model" / "har.json", folder / "model" / "har.json")
    shutil.copy(SAMPLE / "replay" / "synth.csv", folder / "walk.csv")
    shutil.copytree(SAMPLE / "chips", folder / "chips")
    generated = block("docs/readers.md", "cmake", "emlearn_add_recording")
    assert block("README.md", "cmake", "emlearn_add_model") in generated
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20.0)\n"
        "find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})\n"
        "project(documented)\n"
        f"{generated}target_sources(app PRIVATE main.c)\n"
    )
    (conf,) = re.findall(
        r"`prj\.conf`:\n\n```\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (folder / "prj.conf").write_text(conf)
    (folder / "main.c").write_text(block("README.md", "c", "int main"))


class Built:
    """The application, built with the model of a chip."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.build = folder / "build"
        application(folder)
        options = [
            word
            for word in shlex.split(
                (ROOT / "docs" / "readers.md").read_text(encoding="utf-8"), comments=False, posix=False
            )
            if word.startswith("-D") and "chips/lsm6dsl." in word
        ]
        assert len(options) >= 2
        succeeds(
            run(
                *("cmake", "-GNinja", f"-S{folder}", f"-B{self.build}", f"-DBOARD={BOARD}"),
                f"-DPython3_EXECUTABLE={sys.executable}",
                *dict.fromkeys(options),
            )
        )
        succeeds(run("ninja", "-C", self.build))

    def errors(self, text: str) -> str:
        """What the compiler says of a file with this in place of the application's."""
        commands = json.loads((self.build / "compile_commands.json").read_text())
        (command,) = (one for one in commands if one["file"] == str(self.folder / "main.c"))
        source = self.folder / "other.c"
        source.write_text(text)
        arguments = shlex.split(command["command"])
        arguments[arguments.index(command["file"])] = str(source)
        done = subprocess.run(
            [*arguments, "-fsyntax-only", "-Wall"],
            cwd=command["directory"],
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("documented"))


def test_the_application_of_the_readme_decides_on_the_recording_of_the_readers(built: Built) -> None:
    text = succeeds(run(built.build / "zephyr" / "zephyr.exe", "-no-rt", "-stop_at=70"))
    assert "started with 0: 52000 mHz" in text
    decisions = re.findall(r"^(\w+), (\d+) frames lost$", text, re.MULTILINE)
    assert len(decisions) > 40
    assert {lost for _, lost in decisions} == {"0"}
    assert len({name for name, _ in decisions}) > 1
    assert "no frames" not in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_c_in_a_document_compiles_without_a_warning(built: Built, document: str) -> None:
    programs = [one for one in blocks(document, "c") if "int main" in one]
    assert programs
    for program in programs:
        assert built.errors(program) == ""


def test_c_that_does_not_compile_would_be_noticed(built: Built) -> None:
    program = block("docs/readers.md", "c", "int main")
    assert "undeclared" in built.errors(program.replace("\tint rc = ", "\trc = "))
