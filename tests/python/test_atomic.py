# SPDX-License-Identifier: Apache-2.0
"""atomic: files appear complete or not at all."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from emlearn_tools import atomic
from emlearn_tools.errors import EmlearnError


def test_only_files_whose_content_differs_are_written(tmp_path):
    texts = {tmp_path / "new" / "a.txt": "ä\n", tmp_path / "new" / "b.txt": "b\n"}
    assert atomic.write_texts(texts) == list(texts)
    before = {path: path.stat().st_mtime_ns for path in texts}
    assert atomic.write_texts(texts) == []
    texts[tmp_path / "new" / "b.txt"] = "other\n"
    assert atomic.write_texts(texts) == [tmp_path / "new" / "b.txt"]
    assert (tmp_path / "new" / "a.txt").stat().st_mtime_ns == before[tmp_path / "new" / "a.txt"]
    assert (tmp_path / "new" / "a.txt").read_bytes() == "ä\n".encode()
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["a.txt", "b.txt"]


def test_a_new_file_has_the_permissions_that_the_umask_gives(tmp_path):
    mask = os.umask(0o027)
    try:
        atomic.write_text(tmp_path / "a", "a")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_failure_leaves_every_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    with pytest.raises(EmlearnError, match="not an ordinary file"):
        atomic.write_texts({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmlearnError, match="cannot write it") as caught:
        atomic.write_text(tmp_path / "file" / "a", "a")
    assert caught.value.where == str(tmp_path / "file" / "a")


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_disk_that_fails_leaves_nothing_half_written(tmp_path, monkeypatch, step):
    (tmp_path / "a").write_text("old")

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    if step == "write":
        monkeypatch.setattr(atomic.os, "fdopen", fail)
    else:
        monkeypatch.setattr(atomic.os, "replace", fail)
    with pytest.raises(EmlearnError, match="No space left on device") as caught:
        atomic.write_text(tmp_path / "a", "new")
    assert caught.value.hint.startswith("free some space")
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_an_interrupt_while_writing_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "fdopen", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_text(tmp_path / "a", "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_without_permission_is_one_clear_error(mode):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "folder"
        folder.mkdir()
        Path(name).chmod(0o755)
        folder.chmod(mode)
        was_root = os.geteuid() == 0
        if was_root:  # root may write everywhere, so be nobody for a while
            os.seteuid(65534)
        try:
            with pytest.raises(EmlearnError, match="Permission denied"):
                atomic.write_text(folder / "a", "a")
        finally:
            if was_root:
                os.seteuid(0)
            folder.chmod(0o700)
        assert list(folder.iterdir()) == []
