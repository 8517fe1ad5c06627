# SPDX-License-Identifier: Apache-2.0
"""scripts/make_venv.py: what `make demo` and `make test` start with on a fresh machine."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "make_venv.py"

spec = importlib.util.spec_from_file_location("make_venv", SCRIPT)
make_venv = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_venv)


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess:
    """The script as make calls it."""
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_requirements_files_are_followed_through_their_includes_once(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("-r sub/b.txt\nnumpy\n")
    (tmp_path / "sub" / "b.txt").write_text("--requirement ../a.txt\nscipy\n")
    found = make_venv.requirement_files([tmp_path / "a.txt"])
    assert [path.name for path in found] == ["a.txt", "b.txt"]


def test_the_digest_changes_with_every_included_file(tmp_path):
    (tmp_path / "a.txt").write_text("-r b.txt\n")
    (tmp_path / "b.txt").write_text("numpy\n")
    before = make_venv.digest(make_venv.requirement_files([tmp_path / "a.txt"]))
    (tmp_path / "b.txt").write_text("numpy>=2\n")
    assert make_venv.digest(make_venv.requirement_files([tmp_path / "a.txt"])) != before


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An environment that the script made, with none.txt beside it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "none.txt").write_text("# nothing\n")
    first = run(folder / "venv", folder / "none.txt")
    assert first.returncode == 0, first.stderr
    assert "preparing" in first.stderr
    return folder


def test_an_environment_is_made_once_and_then_left_alone(made):
    marker = made / "venv" / "marker"
    marker.touch()
    second = run(made / "venv", made / "none.txt")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    (made / "more.txt").write_text("# nothing else\n")
    third = run(made / "venv", made / "more.txt")
    assert third.returncode == 0, third.stderr
    assert marker.exists(), "other requirements are added, the environment is not thrown away"
    assert run(made / "venv", made / "none.txt").stderr == ""


def test_a_broken_environment_is_made_anew(tmp_path):
    (tmp_path / "none.txt").write_text("# nothing\n")
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").write_text("#!/bin/false\n")
    (tmp_path / "venv" / "bin" / "python").chmod(0o755)
    files = make_venv.requirement_files([tmp_path / "none.txt"])
    (tmp_path / "venv" / make_venv.STAMP).write_text(make_venv.digest(files))
    again = run(tmp_path / "venv", tmp_path / "none.txt")
    assert again.returncode == 0, again.stderr
    assert make_venv.works(tmp_path / "venv" / "bin" / "python")


def test_requirements_that_cannot_be_installed_are_one_clear_error_and_are_tried_again(made):
    (made / "bad.txt").write_text("./no-such-folder\n")
    for _ in range(2):
        result = run(made / "venv", made / "bad.txt")
        assert result.returncode == 1
        assert "error: pip could not install the requirements" in result.stderr


def test_a_missing_requirements_file_is_named(tmp_path):
    result = run(tmp_path / "venv", tmp_path / "absent.txt")
    assert result.returncode == 1
    assert "absent.txt: no such requirements file" in result.stderr
    assert not (tmp_path / "venv").exists()


PAGE = """<!DOCTYPE html><html><body>
<a href="../../files/pip-9.0.1-py3-none-any.whl#sha256=aa">old</a>
<a href="/files/pip-26.3-py3-none-any.whl#sha256=bb" data-requires-python="&gt;=3.10">new</a>
<a href="/files/pip-27.0b1-py3-none-any.whl#sha256=cc">beta</a>
<a href="/files/pip-26.3.tar.gz#sha256=dd">sources</a>
</body></html>"""


def test_the_newest_release_of_pip_is_taken_from_an_index_page():
    found = make_venv.newest_pip_wheel(PAGE, "https://index.example/simple/pip/")
    assert found == ("https://index.example/files/pip-26.3-py3-none-any.whl", "bb")


def test_an_index_page_without_pip_is_an_error():
    with pytest.raises(make_venv.SetupError, match="no pip wheel"):
        make_venv.newest_pip_wheel("<html></html>", "https://index.example/simple/pip/")


def local_index(folder: Path, sha256: str) -> str:
    """An index with a fake pip wheel; the checksum is the caller's."""
    page = folder / "pip"
    page.mkdir()
    (page / "pip-1.0-py3-none-any.whl").write_bytes(b"not a wheel")
    link = f'<a href="{(page / "pip-1.0-py3-none-any.whl").as_uri()}#sha256={sha256}">pip</a>'
    (page / "index.html").write_text(link)
    return page.as_uri()


def test_a_download_with_another_checksum_is_refused(tmp_path, monkeypatch):
    address = local_index(tmp_path, "00" * 32)
    real = make_venv.urllib.request.urlopen

    def urlopen(url, timeout):
        return real(address + "/index.html" if url.endswith("/pip/") else url, timeout=timeout)

    monkeypatch.setattr(make_venv.urllib.request, "urlopen", urlopen)
    with pytest.raises(make_venv.SetupError, match="checksum"):
        make_venv.install_pip_from_index(Path(sys.executable), "https://index.example/simple")


def test_an_index_that_does_not_answer_says_which_package_helps():
    with pytest.raises(make_venv.SetupError, match="apt-get install python3-venv"):
        make_venv.install_pip_from_index(Path(sys.executable), "https://index.invalid/simple")


def without_pip(monkeypatch, home: Path) -> None:
    """As on a machine whose Python has no pip and that knows no index."""
    monkeypatch.setattr(make_venv.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(make_venv, "PIP_CONFIGS", ("~/.pip/pip.conf",))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)


def test_neither_ensurepip_nor_pip_nor_an_index_says_which_package_helps(tmp_path, monkeypatch):
    without_pip(monkeypatch, tmp_path)
    with pytest.raises(make_venv.SetupError, match="apt-get install python3-venv"):
        make_venv.install_pip(tmp_path / "python")


def test_the_index_is_the_one_that_pip_is_configured_for(tmp_path, monkeypatch):
    without_pip(monkeypatch, tmp_path)
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text("[global]\nindex-url = https://one.invalid/simple/\n")
    assert make_venv.index_url() == "https://one.invalid/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://two.invalid/simple")
    assert make_venv.index_url() == "https://two.invalid/simple"


def test_the_pip_of_this_python_fills_an_environment_without_ensurepip(tmp_path, monkeypatch):
    monkeypatch.setattr(make_venv.subprocess, "run", recorder := Recorder())
    make_venv.install_pip(tmp_path / "python")
    assert recorder.commands == [
        [sys.executable, "-m", "pip", "--python", tmp_path / "python", "install", "--quiet", "pip"]
    ]


class Recorder:
    """Stands in for subprocess.run: everything succeeds."""

    def __init__(self) -> None:
        self.commands: list[list[str | Path]] = []

    def __call__(self, command: list[str | Path], **_: object) -> subprocess.CompletedProcess:
        self.commands.append(command)
        return subprocess.CompletedProcess(command, 0)


def test_an_old_python_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(make_venv.sys, "version_info", (3, 9, 2))
    with pytest.raises(make_venv.SetupError, match=r"Python 3\.9 is too old"):
        make_venv.make_venv(tmp_path / "venv", [])
