# SPDX-License-Identifier: Apache-2.0
"""Which Zephyr tree is taken, of those that a machine may have."""

from pathlib import Path

from emlearn_tools import zephyr_tree


def make_tree(folder: Path, version: str) -> Path:
    """What is recognised as a Zephyr tree."""
    major, minor, patch = version.split(".")
    (folder / "cmake" / "modules").mkdir(parents=True)
    (folder / "VERSION").write_text(
        f"VERSION_MAJOR = {major}\nVERSION_MINOR = {minor}\nPATCHLEVEL = {patch}\nEXTRAVERSION =\n"
    )
    return folder


def make_workspace(folder: Path, config: str = "[manifest]\npath = app\nfile = west.yml\n") -> Path:
    """A west workspace with an application in it; returns the application's folder."""
    (folder / ".west").mkdir(parents=True)
    (folder / ".west" / "config").write_text(config)
    (folder / "app" / "src").mkdir(parents=True)
    return folder / "app" / "src"


def register(home: Path, *bases: Path) -> None:
    """As `west zephyr-export` does."""
    folder = home / ".cmake" / "packages" / "Zephyr"
    folder.mkdir(parents=True)
    for number, base in enumerate(bases):
        (folder / f"{number:032x}").write_text(f"{base}/share/zephyr-package/cmake\n")


def test_the_environment_goes_first(tmp_path):
    start = make_workspace(tmp_path / "ws")
    make_tree(tmp_path / "ws" / "zephyr", "4.2.0")
    own = make_tree(tmp_path / "own", "4.3.0")
    found = zephyr_tree.find(start, {"ZEPHYR_BASE": str(own), "HOME": str(tmp_path)})
    assert found == (own.resolve(), (4, 3, 0), "ZEPHYR_BASE")


def test_an_environment_that_leads_nowhere_is_passed_over(tmp_path):
    start = make_workspace(tmp_path / "ws")
    make_tree(tmp_path / "ws" / "zephyr", "4.3.0")
    found = zephyr_tree.find(start, {"ZEPHYR_BASE": str(tmp_path / "gone"), "HOME": str(tmp_path)})
    assert found.found_by == "the west workspace"


def test_the_workspace_says_where_its_zephyr_is(tmp_path):
    start = make_workspace(tmp_path / "ws", "[zephyr]\nbase = deps/zephyr\n")
    base = make_tree(tmp_path / "ws" / "deps" / "zephyr", "4.3.1")
    assert zephyr_tree.find(start, {"HOME": str(tmp_path)})[:2] == (base.resolve(), (4, 3, 1))


def test_the_newest_registered_tree_is_the_last_resort(tmp_path):
    old, new = make_tree(tmp_path / "old", "4.9.0"), make_tree(tmp_path / "new", "4.10.0")
    register(tmp_path, new, old, tmp_path / "deleted")
    found = zephyr_tree.find(tmp_path, {"HOME": str(tmp_path)})
    assert found == (new.resolve(), (4, 10, 0), "CMake's package registry")


def test_a_workspace_without_zephyr_falls_back_to_the_registry(tmp_path):
    start = make_workspace(tmp_path / "ws")
    base = make_tree(tmp_path / "other", "4.3.0")
    register(tmp_path, base)
    assert zephyr_tree.find(start, {"HOME": str(tmp_path)}).base == base.resolve()


def test_a_damaged_west_config_is_no_tree(tmp_path):
    start = make_workspace(tmp_path / "ws", "not an ini file")
    make_tree(tmp_path / "ws" / "zephyr", "4.3.0")
    assert zephyr_tree.find(start, {"HOME": str(tmp_path)}) is None


def test_none_where_there_is_none(tmp_path):
    (tmp_path / "zephyr").mkdir()
    (tmp_path / "zephyr" / "VERSION").write_text("1.0\n")
    environ = {"HOME": str(tmp_path), "ZEPHYR_BASE": str(tmp_path / "zephyr")}
    assert zephyr_tree.find(tmp_path, environ) is None
