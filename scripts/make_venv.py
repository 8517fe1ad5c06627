# SPDX-License-Identifier: Apache-2.0
"""Make a virtual environment with the requirements in it, or leave it alone if it has them.

Standard library only. Works without ensurepip, which Debian splits off: the pip of this Python then fills
the environment, or one from the package index that pip is configured for. Prints nothing
when there is nothing to do.
"""

import argparse
import configparser
import hashlib
import html.parser
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

PYTHON_MIN = (3, 10)
PIP_CONFIGS = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
STAMP = "requirements.sha256"


class SetupError(Exception):
    """What is missing and how to get it."""


class _Links(html.parser.HTMLParser):
    """The links of a package index page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]


def requirement_files(paths: Sequence[Path]) -> list[Path]:
    """The files and those that they include with -r, each once."""
    found: list[Path] = []
    todo = [path.resolve() for path in paths]
    while todo:
        path = todo.pop(0)
        if path in found:
            continue
        if not path.is_file():
            raise SetupError(f"{path}: no such requirements file")
        found.append(path)
        text = path.read_text(encoding="utf-8")
        includes = re.findall(r"^\s*(?:-r|--requirement)\s+(\S+)", text, re.MULTILINE)
        todo += [(path.parent / name).resolve() for name in includes]
    return found


def digest(files: Sequence[Path]) -> str:
    """A hash of the interpreter's version and the contents of the files."""
    whole = hashlib.sha256(sys.version.encode())
    for path in files:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def newest_pip_wheel(page: str, base_url: str) -> tuple[str, str]:
    """Address and sha256 ('' if not given) of the newest released pip wheel on an index page."""
    parser = _Links()
    parser.feed(page)
    wheels = []
    for link in parser.links:
        address, fragment = urllib.parse.urldefrag(urllib.parse.urljoin(base_url, link))
        match = re.fullmatch(r"pip-([0-9]+(?:\.[0-9]+)*)-py3-none-any\.whl", address.rsplit("/", 1)[-1])
        if match:
            version = tuple(int(part) for part in match.group(1).split("."))
            sha256 = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
            wheels.append((version, address, sha256))
    if not wheels:
        raise SetupError(f"{base_url}: no pip wheel on that page")
    _, address, sha256 = max(wheels)
    return address, sha256


def index_url() -> str:
    """The package index that pip is configured for, from its environment variable or files; '' for none."""
    configs = [os.path.expanduser(path) for path in (*PIP_CONFIGS, os.environ.get("PIP_CONFIG_FILE", ""))]
    parser = configparser.RawConfigParser()
    try:
        parser.read([path for path in configs if path], encoding="utf-8")
    except configparser.Error as error:
        raise SetupError(f"pip's configuration cannot be read: {error}") from error
    configured = parser.get("global", "index-url", fallback="")
    return os.environ.get("PIP_INDEX_URL", configured).strip().rstrip("/")


def install_pip(python: Path) -> None:
    """Put pip into an environment that has none, without ensurepip."""
    if importlib.util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"]
        if subprocess.run(command, check=False).returncode == 0:
            return
    if not index_url():
        raise SetupError(
            "this Python has neither ensurepip nor pip\n"
            "  try: apt-get install python3-venv (or set PIP_INDEX_URL to your package index)"
        )
    install_pip_from_index(python, index_url())


def install_pip_from_index(python: Path, index: str) -> None:
    """Put the newest pip of a package index into an environment."""
    page_url = index + "/pip/"
    try:
        with urllib.request.urlopen(page_url, timeout=60) as answer:
            page = answer.read().decode("utf-8")
        address, sha256 = newest_pip_wheel(page, page_url)
        with urllib.request.urlopen(address, timeout=180) as answer:
            wheel = answer.read()
    except OSError as error:
        raise SetupError(
            f"this Python has no ensurepip, and pip cannot be had from {page_url}: {error}\n"
            "  try: apt-get install python3-venv"
        ) from error
    if sha256 and hashlib.sha256(wheel).hexdigest() != sha256:
        raise SetupError(f"{address}: the download does not have the checksum that the index gives")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / address.rsplit("/", 1)[-1]
        path.write_bytes(wheel)
        subprocess.run([python, f"{path}/pip", "install", "--quiet", "--no-index", str(path)], check=True)


def works(python: Path) -> bool:
    """Whether that interpreter starts and is the version of this one."""
    code = "import sys; print(sys.version)"
    try:
        answer = subprocess.run([python, "-c", code], check=False, capture_output=True, text=True)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == sys.version.strip()


def create(folder: Path, python: Path) -> None:
    """A new, empty environment with pip, in place of whatever is there."""
    if importlib.util.find_spec("venv") is None:
        raise SetupError("this Python has no venv module\n  try: apt-get install python3-venv")
    with_pip = importlib.util.find_spec("ensurepip") is not None
    arguments = [] if with_pip else ["--without-pip"]
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", *arguments, str(folder)], check=False)
    if made.returncode != 0:
        raise SetupError(f"{folder}: python -m venv failed (see above)\n  try: apt-get install python3-venv")
    if not with_pip:
        install_pip(python)


def make_venv(folder: Path, requirements: Sequence[Path]) -> Path:
    """The environment's interpreter; creates and fills the environment only if something changed.

    Raises SetupError with what is missing.
    """
    if sys.version_info < PYTHON_MIN:
        have = ".".join(str(part) for part in sys.version_info[:2])
        raise SetupError(f"Python {have} is too old, need 3.10 or newer\n  try: make PYTHON=python3.12 ...")
    files = requirement_files(requirements)
    python = folder / "bin" / "python"
    stamp = folder / STAMP
    wanted = digest(files)
    usable = python.exists() and stamp.is_file() and works(python)
    installed = stamp.read_text(encoding="utf-8").split() if usable else []
    if wanted in installed:
        return python
    print(f"preparing {folder} ...", file=sys.stderr, flush=True)
    if not usable:
        create(folder, python)
        stamp.touch()
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for path in requirements:
        command += ["-r", str(path)]
    if subprocess.run(command, check=False).returncode != 0:
        raise SetupError("pip could not install the requirements\n  try: is the package index reachable?")
    stamp.write_text("\n".join([*installed, wanted]) + "\n", encoding="utf-8")
    return python


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0, or 1 with a clear message."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the environment, for example .venv")
    parser.add_argument("requirements", type=Path, nargs="+", help="requirements files")
    args = parser.parse_args(argv)
    try:
        make_venv(args.folder, args.requirements)
    except (SetupError, subprocess.CalledProcessError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
