# SPDX-License-Identifier: Apache-2.0
"""The common CSV form, numpy's files, and small archives of the layout of the public data sets."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from emlearn_tools import loaders
from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders import csv_table, uci_har
from emlearn_tools.recording import Gap, RawRecording, Span, load, spans_of
from hypothesis import given
from hypothesis import strategies as st

HEADER = "time,acc_x,acc_y,acc_z,label\n"


def write_csv(path: Path, n: int = 20, header: str = HEADER, row: str = "{t:.3f},0,0.6,0.8,walk") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + "".join(row.format(t=i / 50) + "\n" for i in range(n)))
    return path


def load_one(path: Path) -> RawRecording:
    (raw,) = load([path])
    return raw


def error_of(path: Path) -> str:
    with pytest.raises(EmlearnError) as caught:
        load([path])
    return str(caught.value)


# CSV


def test_a_csv_file_is_read_as_it_stands(tmp_path):
    path = tmp_path / "set" / "a.csv"
    path.parent.mkdir()
    path.write_text(
        "time,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label\n"
        "0.00,1.5,-2e-1,0.25,3,-4,5.5,walk\n0.02,1,0,0,0,0,0,walk\n0.04,0,1,0,1,2,3,\n0.10,0,0,1,7,8,9,run\n"
    )
    raw = load_one(path)
    assert raw.name == "set/a.csv" and raw.source == path
    assert raw.channels == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert raw.values[0].tolist() == [1.5, -0.2, 0.25, 3, -4, 5.5]
    assert raw.values[3].tolist() == [0, 0, 1, 7, 8, 9]
    assert raw.spans == (Span(0, 2, "walk"), Span(2, 3, ""), Span(3, 4, "run"))
    assert raw.gaps == (Gap(3, 2),)
    assert raw.rate_hz == pytest.approx(50)
    assert (raw.subject, raw.recording) == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        "label,acc_z,time,acc_y,acc_x\nwalk,3,0,2,1\nwalk,6,0.02,5,4\n",
        "\ufeffTime, ACC_X ,acc_y,acc_z,Label\r\n0,1,2,3,walk\r\n0.02,4,5,6,walk\r\n",
        'time,acc_x,acc_y,acc_z,label\n"0",1,2,3,"walk"\n\n0.02,4,5,6,walk\n   \n',
        "time,acc_x,acc_y,acc_z,note,label\n0,1,2,3,free text #1,walk\n0.02,4,5,6,,walk\n",
        "time,acc_x,acc_y,acc_z,label\n0, 1,2 ,3, walk\n0.02,4,5,6,walk ",
    ],
)
def test_order_case_spaces_blank_lines_line_ends_and_other_columns_do_not_matter(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    (source,) = loaders.find([path])
    (raw,) = source.read()
    assert raw.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert raw.spans == (Span(0, 2, "walk"),)


def test_a_recording_without_labels_is_read(tmp_path):
    raw = load_one(write_csv(tmp_path / "a.csv", header="time,acc_x,acc_y,acc_z\n", row="{t},0,0,1"))
    assert raw.spans == (Span(0, 20, ""),)
    assert not raw.has_labels


def test_a_gyroscope_alone_is_read(tmp_path):
    raw = load_one(write_csv(tmp_path / "a.csv", header="time,gyro_x,gyro_y,gyro_z\n", row="{t},900,0,1"))
    assert raw.channels == ("gyro_x", "gyro_y", "gyro_z")


BAD_CSV = [
    ("", "a.csv: is empty"),
    ("\n \n", "a.csv: is empty"),
    (HEADER, "has a header and no frames"),
    ("acc_x,acc_y,acc_z\n0,0,1\n", "column time is missing"),
    ("time,acc_x,acc_z,label\n0,0,1,a\n", "column acc_y is missing"),
    ("time,acc_x,acc_y,acc_z,gyro_x\n0,0,0,1,1\n", "column gyro_y, gyro_z is missing"),
    ("time,label\n0,a\n", "columns acc_x, acc_y, acc_z are missing"),
    ("time,acc_x,acc_x,acc_y,acc_z\n0,0,0,0,1\n", "column acc_x is there twice"),
    ("time;acc_x;acc_y;acc_z\n0;0;0;1\n", "separated by `;`"),
    (HEADER + "0,0,0,1,a\n0.02,0,zero,1,a\n", "a.csv:3: acc_y is 'zero', not a number"),
    (HEADER + "0,0,0,1,a\n\n0.02,0,,1,a\n", "a.csv:4: acc_y is empty"),
    (HEADER + "0,0,0,1,a\n0.02,0,1_0,1,a\n", "a.csv: cannot be read"),
    (HEADER + "0,0,0,1,a\n0.02,0,0\n", "a.csv:3: 3 fields, the header has 5"),
    (HEADER + "0,0,0,1,a\nnan,0,0,1,a\n", "a.csv:3: time is not a finite number"),
    (HEADER + "0,0,0,1,a\n\n0.02,0,0,nan,a\n", "a.csv:4: acc_z is not a finite number"),
    (HEADER + "0,0,-inf,1,a\n0.02,0,0,0,a\n", "a.csv:2: acc_y is not a finite number"),
    (HEADER + '0,0,0,1,"a\nb"\n0.02,0,0,1,a\n', "a quoted field spans several lines"),
    (HEADER + "0,0,0,1,a\n", "1 frame, too short"),
    (HEADER + "0,0,0,1,a\n0.02,0,0,1,a\n0.01,0,0,1,a\n", "time goes back"),
    (HEADER + "0,0,0,1,a\n20,0,0,1,a\n40,0,0,1,a\n", "0.05 Hz"),
    (HEADER + "0,0,9.8,1,a\n0.02,0,9.8,1,a\n", "looks like m/s2"),
    (HEADER + "0,0,0,1000,a\n0.02,10,0,1000,a\n", "looks like mg"),
    (HEADER + "0,0,0,16384,a\n0.02,100,0,16384,a\n", "looks like raw counts"),
]


@pytest.mark.parametrize(("text", "message"), BAD_CSV)
def test_a_damaged_csv_file_is_refused_with_its_place(tmp_path, text, message):
    path = tmp_path / "a.csv"
    path.write_text(text)
    error = error_of(path)
    assert message in error
    assert str(path) in error


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"time,acc_x\n\xff\xfe")
    assert "is not UTF-8 text (byte 11)" in error_of(tmp_path)
    (tmp_path / "a.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    assert "Git LFS pointer" in error_of(tmp_path)


@given(
    data=st.data(),
    n=st.integers(2, 60),
    with_gyro=st.booleans(),
    rate_hz=st.sampled_from([20.0, 50.0, 104.0]),
)
def test_a_recording_written_as_csv_reads_back(tmp_path_factory, data, n, with_gyro, rate_hz):
    channels = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")[: 6 if with_gyro else 3]
    seed = data.draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).uniform(-2, 2, (n, len(channels)))
    labels = data.draw(st.lists(st.sampled_from(["", "a b", "walk"]), min_size=n, max_size=n))
    # Frames 0 to 9 are whole, so that most steps are, and the rate is measured from those.
    frames = data.draw(st.sets(st.integers(10, n - 1), max_size=1)) if n > 12 else set()
    gaps = tuple(Gap(frame, data.draw(st.integers(1, 9))) for frame in sorted(frames))
    raw = RawRecording("x", "", "", rate_hz, channels, values, spans_of(np.array(labels)), gaps, Path("x"))
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(csv_table.text_of_recording(raw))
    (source,) = loaders.find([path])
    (got,) = source.read()
    np.testing.assert_allclose(got.values, values, atol=5.1e-5)
    assert got.channels == channels
    assert got.spans == raw.spans
    assert got.gaps == gaps
    assert got.rate_hz == pytest.approx(rate_hz, rel=1e-4)


# Names, folders, indexes


def test_names_are_relative_unique_and_sorted_whatever_the_order_of_paths(tmp_path):
    for name in ("one/b.csv", "one/deep/a.csv", "two/c.csv", "other/two/c.csv", "one/.hidden/x.csv"):
        write_csv(tmp_path / name)
    paths = [tmp_path / "two", tmp_path / "one", tmp_path / "other" / "two"]
    names = [raw.name for raw in load(paths)]
    parent = tmp_path.name
    assert names == sorted(
        [f"{parent}/one/b.csv", f"{parent}/one/deep/a.csv", f"{parent}/two/c.csv", "other/two/c.csv"]
    )
    assert names == [raw.name for raw in load(paths[::-1])]
    assert [raw.name for raw in load(paths[:2])] == ["one/b.csv", "one/deep/a.csv", "two/c.csv"]


def test_a_file_named_twice_is_read_once(tmp_path):
    write_csv(tmp_path / "sub" / "a.csv")
    assert len(load([tmp_path, tmp_path / "sub" / "a.csv", tmp_path / "sub", tmp_path])) == 1


def test_sources_are_found_in_the_order_of_their_names(tmp_path):
    for name in ("b", "a", "c"):
        write_csv(tmp_path / name / "x.csv")
    found = loaders.find([tmp_path / "c", tmp_path / "a", tmp_path / "b"])
    assert [source.name for source in found] == ["a/x.csv", "b/x.csv", "c/x.csv"]


def test_progress_counts_the_files(tmp_path):
    for name in "abc":
        write_csv(tmp_path / f"{name}.csv")
    seen = []
    load([tmp_path], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(EmlearnError, match="no recordings given"):
        load([])
    assert "no recordings found" in error_of(tmp_path)
    assert "no such file or folder" in error_of(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no data")
    assert "no recordings found" in error_of(tmp_path / "notes.txt")


def test_an_index_says_whose_recording_it_is(tmp_path):
    write_csv(tmp_path / "a.csv")
    write_csv(tmp_path / "sub" / "b.csv")
    write_csv(tmp_path / "sub" / "c.csv")
    (tmp_path / "index.csv").write_text(
        "file,subject,recording,samplerate_hz\na.csv,p1,r1,50\nsub/b.csv, p2 ,r2,\n"
    )
    got = {source.name.split("/", 1)[1]: source for source in loaders.find([tmp_path])}
    assert got["a.csv"].entry.rate_hz == 50.0
    assert got["sub/b.csv"].entry.rate_hz is None
    assert got["sub/c.csv"].entry is None
    who = {raw.name.split("/", 1)[1]: (raw.subject, raw.recording) for raw in load([tmp_path])}
    assert who == {"a.csv": ("p1", "r1"), "sub/b.csv": ("p2", "r2"), "sub/c.csv": ("", "")}
    assert load_one(tmp_path / "a.csv").subject == "p1"


def test_the_index_beside_a_file_goes_before_that_above(tmp_path):
    write_csv(tmp_path / "sub" / "a.csv")
    (tmp_path / "index.csv").write_text("file,subject,recording\nsub/a.csv,far,1\n")
    (tmp_path / "sub" / "index.csv").write_text("file,subject,recording\na.csv,near,1\n")
    assert load_one(tmp_path).subject == "near"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,subject\na.csv,p\n", "column file is missing"),
        ("file,samplerate_hz\na.csv,fast\n", "index.csv:2"),
    ],
)
def test_a_damaged_index_is_refused(tmp_path, text, message):
    write_csv(tmp_path / "a.csv")
    (tmp_path / "index.csv").write_text(text)
    assert message in error_of(tmp_path)


# Zip


def zip_of(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def zip_folder(folder: Path, path: Path) -> Path:
    names = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return zip_of({file.relative_to(folder).as_posix(): file.read_bytes() for file in names}, path)


def same(a: RawRecording, b: RawRecording) -> bool:
    return (a.subject, a.recording, a.channels, a.spans, a.gaps) == (
        b.subject,
        b.recording,
        b.channels,
        b.spans,
        b.gaps,
    ) and np.array_equal(a.values, b.values)


def test_a_zip_holds_what_its_folder_holds(tmp_path):
    write_csv(tmp_path / "data" / "a.csv")
    (tmp_path / "data" / "index.csv").write_text("file,subject,recording\na.csv,p1,r1\n")
    plain = load_one(tmp_path / "data")
    inner = zip_folder(tmp_path / "data", tmp_path / "data.zip")
    packed = load_one(inner)
    assert same(plain, packed)
    assert packed.name == "data.zip/a.csv"
    outer = zip_of({"data.zip": inner.read_bytes(), "data.names": b"about"}, tmp_path / "outer.zip")
    assert same(plain, load_one(outer))


def test_a_damaged_zip_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK no more")
    assert "is not a readable .zip archive" in error_of(tmp_path / "a.zip")
    write_csv(tmp_path / "data" / "a.csv", n=500)
    path = zip_folder(tmp_path / "data", tmp_path / "b.zip")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    assert "cannot be unpacked" in error_of(path)


# Numpy


def test_a_structured_npy_file_is_read(tmp_path):
    fields = [("time", float), ("acc_x", "f4"), ("acc_y", "f4"), ("acc_z", "i2"), ("label", "U8")]
    table = np.array([(i / 50, 0.5, 0, 1, "a" if i < 5 else "b") for i in range(12)], dtype=fields)
    np.save(tmp_path / "a.npy", table)
    (tmp_path / "index.csv").write_text("file,subject,recording\na.npy,p3,r7\n")
    raw = load_one(tmp_path)
    assert raw.values[0].tolist() == [0.5, 0, 1]
    assert raw.spans == (Span(0, 5, "a"), Span(5, 12, "b"))
    assert (raw.subject, raw.recording) == ("p3", "r7")


def test_an_npz_file_is_read(tmp_path):
    acc = np.tile([0.0, 0.6, 0.8], (30, 1))
    gyro = np.arange(90).reshape(30, 3)
    np.savez(tmp_path / "a.npz", acc=acc, gyro=gyro, rate_hz=25, label=np.full(30, b"up"), subject="p9")
    raw = load_one(tmp_path / "a.npz")
    assert raw.rate_hz == pytest.approx(25)
    assert raw.values[3].tolist() == [0, 0.6, 0.8, 9, 10, 11]
    assert raw.spans == (Span(0, 30, "up"),)
    assert (raw.subject, raw.recording) == ("p9", "")
    time_s = np.arange(30) / 25 + np.where(np.arange(30) >= 20, 0.2, 0)
    np.savez(tmp_path / "b.npz", acc=acc, time=time_s, label=np.arange(30) // 10, recording="r2")
    raw = load_one(tmp_path / "b.npz")
    assert raw.gaps == (Gap(20, 5),)
    assert [span.label for span in raw.spans] == ["0", "1", "2"]
    assert raw.recording == "r2"


ACC = np.tile([0.0, 0.0, 1.0], (9, 1))
BAD_NPZ = [
    ({"acc": ACC}, "holds acc"),
    ({"rate_hz": 50}, "holds rate_hz"),
    ({"acc": ACC, "rate_hz": 50, "time": np.arange(9)}, "holds acc, rate_hz, time"),
    ({"acc": ACC[:, :2], "rate_hz": 50}, r"acc has the shape (9, 2), not (9, 3)"),
    ({"acc": ACC, "gyro": ACC[:5], "rate_hz": 50}, r"gyro has the shape (5, 3), not (9, 3)"),
    ({"acc": ACC, "time": np.arange(8) / 50}, "time has the shape (8,), not (9,)"),
    ({"acc": ACC, "rate_hz": 50, "label": np.array(["a"])}, "label has the shape (1,), not (9,)"),
    ({"acc": ACC, "rate_hz": 50, "label": np.ones(9)}, "label is of type float64"),
    ({"acc": ACC, "rate_hz": 0}, "rate_hz is not one number above 0"),
    ({"acc": ACC, "rate_hz": [50, 50]}, "rate_hz is not one number above 0"),
    ({"acc": ACC.astype(str), "rate_hz": 50}, "acc is of type <U32, not numbers"),
    ({"acc": np.where(ACC == 1, np.nan, ACC), "rate_hz": 50}, "frame 0: acc_z is not a finite number"),
    ({"acc": ACC, "time": np.full(9, np.nan)}, "time is not a finite number"),
]


@pytest.mark.parametrize(("arrays", "message"), BAD_NPZ)
def test_a_wrong_npz_file_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    error = error_of(tmp_path)
    assert message in error
    assert str(tmp_path / "a.npz") in error


def test_a_wrong_npy_file_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", ACC)
    assert "holds a plain array of shape (9, 3)" in error_of(tmp_path)
    np.save(tmp_path / "a.npy", np.zeros(3, dtype=[("time", float), ("acc_x", float)]))
    assert "column acc_y, acc_z is missing" in error_of(tmp_path)
    np.save(tmp_path / "a.npy", np.array([{"acc": 1}], dtype=object), allow_pickle=True)
    assert "pickled objects are not read" in error_of(tmp_path)
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY")
    assert "is not a readable numpy file" in error_of(tmp_path)
    (tmp_path / "a.npy").unlink()
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 broken")
    assert "is not a readable numpy file" in error_of(tmp_path)


# UCI HAPT


def make_hapt(root: Path, n: int = 40) -> np.ndarray:
    """Write one experiment as the archive holds it; return what it means, (n, 6) in g and dps."""
    folder = root / "HAPT Data Set" / "RawData"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    acc, gyro = rng.normal([0, 0, 1], 0.1, (n, 3)), rng.normal(0, 1, (n, 3))
    for name, table in (("acc", acc), ("gyro", gyro)):
        lines = "".join(" ".join(f"{value:.10f}" for value in row) + " \n" for row in table)
        (folder / f"{name}_exp07_user03.txt").write_text(lines)
    (folder / "labels.txt").write_text("7 3 5 1 10 \n7 3 8 11 15\n7 3 1 21 30\n8 3 2 1 9\n7 4 2 1 9\n")
    return np.concatenate([acc, gyro * 57.29577951308232], axis=1)


def test_hapt_is_read_from_a_folder_and_a_zip(tmp_path):
    values = make_hapt(tmp_path / "hapt")
    raw = load_one(tmp_path / "hapt")
    np.testing.assert_allclose(raw.values, values, atol=1e-8)
    assert (raw.subject, raw.recording, raw.rate_hz) == ("u03", "e07", pytest.approx(50))
    assert raw.name == "hapt/HAPT Data Set/RawData/exp07_user03"
    assert raw.spans == (
        Span(0, 10, "standing"),
        Span(10, 15, "sit_to_stand"),
        Span(15, 20, "unlabeled"),
        Span(20, 30, "walking"),
        Span(30, 40, "unlabeled"),
    )
    assert same(raw, load_one(zip_folder(tmp_path / "hapt", tmp_path / "hapt.zip")))


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("labels.txt", None, "labels.txt: is missing beside"),
        ("gyro_exp07_user03.txt", None, "gyro_exp07_user03.txt: is missing beside"),
        ("labels.txt", "7 3 5 1 10\n7 3 5 1\n", "labels.txt:2: 4 numbers, not 5"),
        ("labels.txt", "7 3 5 1 10.5\n", "numbers that are not whole"),
        ("labels.txt", "7 3 13 1 10\n", "activity 13 is not 1 to 12"),
        ("labels.txt", "7 3 5 30 41\n", "labels.txt names frames 30 to 41 of 40"),
        ("labels.txt", "7 3 5 0 10\n", "labels.txt names frames 0 to 10 of 40"),
        ("gyro_exp07_user03.txt", "0 0 0\n" * 39, "has 40 frames, the gyroscope's file 39"),
        ("acc_exp07_user03.txt", "0 0 1\n0 x 1\n", "acc_exp07_user03.txt:2: 'x' is not a finite number"),
        (
            "acc_exp07_user03.txt",
            "0 0 1\n\n0 nan 1\n",
            "user03.txt:3: 'nan' is not a finite number",
        ),
        ("acc_exp07_user03.txt", "0 0 1 2\n" * 40, "acc_exp07_user03.txt:1: 4 numbers, not 3"),
        ("acc_exp07_user03.txt", "0 0 1\n0 1_0 1\n", "acc_exp07_user03.txt: cannot be read"),
        ("acc_exp07_user03.txt", " \n", "acc_exp07_user03.txt: is empty"),
    ],
)
def test_a_damaged_hapt_archive_is_refused(tmp_path, file, text, message):
    make_hapt(tmp_path)
    path = tmp_path / "HAPT Data Set" / "RawData" / file
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    assert message in error_of(tmp_path)


# UCI HAR


def make_har(root: Path) -> dict[str, np.ndarray]:
    """Write a train split with three recordings cut to windows; return their values by subject and label."""
    folder = root / "UCI HAR Dataset" / "train"
    (folder / "Inertial Signals").mkdir(parents=True)
    rng = np.random.default_rng(5)
    whole = {"a": rng.normal([0, 0, 1, 0, 0, 0], 0.1, (320, 6)), "b": rng.normal(size=(128, 6)), "c": None}
    whole["c"] = rng.normal([0, 0, 1, 0, 0, 0], 0.1, (192, 6))
    whole["b"][:, :3] = [0, 0, 1]
    windows, activity, subject = [], [], []
    for (key, values), number, person in zip(whole.items(), (1, 6, 4), (2, 2, 11), strict=True):
        for start in range(0, len(values) - 127, 64):
            windows.append(values[start : start + 128])
            activity.append(5 if key == "a" and start == 192 else number)
            subject.append(person)
    stacked = np.stack(windows)
    for k, name in enumerate(
        ("total_acc_x", "total_acc_y", "total_acc_z", "body_gyro_x", "body_gyro_y", "body_gyro_z")
    ):
        np.savetxt(folder / "Inertial Signals" / f"{name}_train.txt", stacked[:, :, k], fmt=" %.7e")
    np.savetxt(folder / "y_train.txt", activity, fmt="%d")
    np.savetxt(folder / "subject_train.txt", subject, fmt="%d")
    return whole


def test_har_windows_are_joined_to_recordings(tmp_path):
    whole = make_har(tmp_path / "har")
    recordings = load([tmp_path / "har"])
    for raw, values in zip(recordings, whole.values(), strict=True):
        np.testing.assert_allclose(raw.values[:, :3], values[:, :3], atol=1e-6)
        np.testing.assert_allclose(raw.values[:, 3:], np.rad2deg(values[:, 3:]), atol=1e-4)
        assert raw.rate_hz == pytest.approx(50)
    assert [raw.subject for raw in recordings] == ["u02", "u02", "u11"]
    assert [raw.recording for raw in recordings] == ["w0001", "w0005", "w0006"]
    assert recordings[0].name == "har/UCI HAR Dataset/train/w0001"
    assert recordings[0].spans == (
        Span(0, 192, "walking"),
        Span(192, 256, "unlabeled"),
        Span(256, 320, "standing"),
    )
    assert recordings[1].spans == (Span(0, 128, "laying"),)
    assert recordings[2].spans == (Span(0, 192, "sitting"),)
    packed = load([zip_folder(tmp_path / "har", tmp_path / "har.zip")])
    assert all(same(a, b) for a, b in zip(recordings, packed, strict=True))


def test_labels_of_half_windows_stand_where_both_windows_agree():
    assert uci_har._half_labels(np.array([1])) == ["walking"] * 2
    assert uci_har._half_labels(np.array([1, 1, 6])) == ["walking", "walking", "unlabeled", "laying"]


def test_equal_windows_of_two_persons_are_not_joined(tmp_path):
    make_har(tmp_path)
    folder = tmp_path / "UCI HAR Dataset" / "train"
    for path in (folder / "Inertial Signals").iterdir():
        path.write_text(" ".join(["0.5"] * 128) + "\n" + " ".join(["0.5"] * 128) + "\n")
    (folder / "y_train.txt").write_text("1\n1\n")
    (folder / "subject_train.txt").write_text("1\n1\n")
    assert [len(raw.values) for raw in load([tmp_path])] == [192]
    (folder / "subject_train.txt").write_text("1\n2\n")
    assert [len(raw.values) for raw in load([tmp_path])] == [128, 128]


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("Inertial Signals/body_gyro_z_train.txt", None, "body_gyro_z_train.txt: is missing beside"),
        ("subject_train.txt", None, "subject_train.txt: is missing beside"),
        ("subject_train.txt", lambda text: text[2:], "7 windows, 7 activities, 6 subjects"),
        ("y_train.txt", lambda text: text.replace("6", "7"), "y_train.txt: an activity is not 1 to 6"),
        (
            "Inertial Signals/total_acc_y_train.txt",
            lambda text: text.split("\n", 1)[1],
            "shapes differ or are odd",
        ),
        (
            "Inertial Signals/total_acc_y_train.txt",
            lambda text: text.rsplit(" ", 1)[0],
            "total_acc_y_train.txt:7: ",
        ),
    ],
)
def test_a_damaged_har_archive_is_refused(tmp_path, file, change, message):
    make_har(tmp_path)
    path = tmp_path / "UCI HAR Dataset" / "train" / file
    if change is None:
        path.unlink()
    else:
        path.write_text(change(path.read_text()))
    assert message in error_of(tmp_path)


# WISDM


def wisdm_lines(
    subject: str, letter: str, start_ns: int, rows: np.ndarray, period_ns: int = 50_000_000
) -> str:
    return "".join(
        f"{subject},{letter},{start_ns + i * period_ns},{x:.6f},{y:.6f},{z:.6f};\n"
        for i, (x, y, z) in enumerate(rows)
    )


def make_wisdm(root: Path) -> None:
    """Write phone and watch of subject 1600 as the archive holds them: two activities, one in two pieces."""
    gravity = np.tile([0.0, 9.80665, 0.0], (60, 1))
    raw = root / "wisdm-dataset" / "raw"
    for device in ("phone", "watch"):
        for sensor in ("accel", "gyro"):
            (raw / device / sensor).mkdir(parents=True)
    phone = wisdm_lines("1600", "A", 10**15, gravity) + wisdm_lines("1600", "B", 2 * 10**15, gravity * 1.5)
    phone += wisdm_lines("1600", "B", 10**14, gravity[:30]) + wisdm_lines("1600", "P", 10**13, gravity[:1])
    (raw / "phone" / "accel" / "data_1600_accel_phone.txt").write_text(phone)
    # The gyroscope's x runs with time: 1 rad/s a second. Its clock is 20 ms off; B's second piece lacks.
    ramp = np.zeros((70, 3))
    ramp[:, 0] = np.arange(70) * 0.05
    gyro = wisdm_lines("1600", "A", 10**15 - 20_000_000, ramp)
    gyro += wisdm_lines("1600", "B", 2 * 10**15 + 80_000_000, np.delete(ramp, range(30, 33), axis=0)[:20])
    (raw / "phone" / "gyro" / "data_1600_gyro_phone.txt").write_text(gyro)
    (raw / "watch" / "accel" / "data_1600_accel_watch.txt").write_text(
        wisdm_lines("1600", "S", 5, gravity)[:-2]
    )


def test_wisdm_is_read_one_recording_an_activity(tmp_path):
    make_wisdm(tmp_path / "w")
    recordings = {raw.name.split("/raw/")[1]: raw for raw in load([tmp_path / "w"])}
    assert list(recordings) == [
        "phone/1600/jogging",
        "phone/1600/jogging_2",
        "phone/1600/walking",
        "watch/1600/folding",
    ]
    walking = recordings["phone/1600/walking"]
    assert walking.rate_hz == pytest.approx(20)
    assert (walking.subject, walking.recording) == ("1600", "walking")
    assert walking.spans == (Span(0, 60, "walking"),)
    np.testing.assert_allclose(walking.values[:, :3], np.tile([0, 1, 0], (60, 1)), atol=1e-6)
    expected = np.rad2deg((np.arange(60) * 50_000_000 + 20_000_000) / 1e9)
    np.testing.assert_allclose(walking.values[:, 3], expected, atol=1e-3)
    # A gyroscope that covers a third of the recording is left out, the accelerometer's frames stay.
    assert recordings["phone/1600/jogging"].channels == ("acc_x", "acc_y", "acc_z")
    assert len(recordings["phone/1600/jogging"].values) == 60
    assert len(recordings["phone/1600/jogging_2"].values) == 30
    assert recordings["watch/1600/folding"].channels == ("acc_x", "acc_y", "acc_z")
    packed = load([zip_folder(tmp_path / "w", tmp_path / "w.zip")])
    assert all(same(a, b) for a, b in zip(recordings.values(), packed, strict=True))


def test_wisdm_frames_in_a_hole_of_the_gyroscope_become_a_gap(tmp_path):
    folder = tmp_path / "raw" / "phone"
    for sensor in ("accel", "gyro"):
        (folder / sensor).mkdir(parents=True)
    rows = np.tile([0.0, 9.80665, 0.0], (100, 1))
    (folder / "accel" / "data_1_accel_phone.txt").write_text(wisdm_lines("1", "A", 0, rows))
    lines = wisdm_lines("1", "A", 0, rows).splitlines(keepends=True)
    (folder / "gyro" / "data_1_gyro_phone.txt").write_text("".join(lines[1:50] + lines[54:99]))
    raw = load_one(tmp_path)
    assert len(raw.channels) == 6
    assert raw.gaps == (Gap(49, 4),)
    assert len(raw.values) == 94  # without the first and the last, which have a value on one side only


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("1600,A,1,0,9.8,0;\n1600,A,2,0,9.8;\n", ".txt:2: is not `subject,activity,time,x,y,z;`"),
        ("1600,A,1,0,9.8,0;\n\n1600,A,x,0,9.8,0;\n", ".txt:3: is not"),
        ("1600,A,1,0,9.8,0;\n1600,N,2,0,9.8,0;\n", ".txt:2: activity 'N'"),
        ("1600,A,1,0,9.8,0;\n1601,A,2,0,9.8,0;\n", "of subject '1601'"),
    ],
)
def test_a_damaged_wisdm_file_is_refused(tmp_path, text, message):
    path = tmp_path / "raw" / "phone" / "accel" / "data_1600_accel_phone.txt"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert message in error_of(tmp_path)


def test_an_unreadable_file_is_an_error(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "a.csv")

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "cannot be read (Permission denied)" in error_of(path)
