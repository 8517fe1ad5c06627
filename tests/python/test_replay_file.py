# SPDX-License-Identifier: Apache-2.0
"""The loader of recordings in firmware for native_sim, without Zephyr: it reads what the host tools read."""

import ctypes
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from emlearn_tools import recording, timestamps
from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import IDENTITY_MOUNT, PipelineSpec
from hypothesis import assume, example, given
from hypothesis import strategies as st
from recording_struct import Gap, Recording

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc not installed")


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The host side of the loader as a library."""
    library = tmp_path_factory.mktemp("loader") / "loader.so"
    sources = sorted((ROOT / "src" / "emul").glob("recording_*_bottom.c"))
    flags = "-shared -fPIC -std=gnu11 -O1 -Wall -Wextra -Wconversion -Wshadow -Werror".split()
    subprocess.run(["gcc", *flags, f"-I{ROOT}/include", "-o", library, *sources, "-lm"], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.recording_file_read.restype = ctypes.c_char_p
    loaded.recording_time_measure.restype = ctypes.c_long
    return loaded


def load(loader: ctypes.CDLL, file: Path, out: Recording) -> str | None:
    """Read a file onto the grid of `out`, sensors included; the error, None without."""
    table = ctypes.c_void_p()
    error = loader.recording_file_read(str(file).encode(), ctypes.c_uint8(out.sensors), ctypes.byref(table))
    if error is not None:
        return error.decode()
    loader.recording_file_quantise(table, ctypes.byref(out))
    return None


def measure(loader: ctypes.CDLL, time_s: list[float]) -> tuple[float, tuple[tuple[int, int], ...]] | None:
    """Rate and gaps by the firmware's loader; None where it finds no rate."""
    stamps = (ctypes.c_double * len(time_s))(*time_s)
    gaps = (Gap * len(time_s))()
    rate = ctypes.c_double()
    n = loader.recording_time_measure(stamps, ctypes.c_size_t(len(time_s)), gaps, ctypes.byref(rate))
    return None if n < 0 else (rate.value, tuple((gaps[i].frame, gaps[i].n_lost) for i in range(n)))


@st.composite
def stamps(draw: st.DrawFn) -> list[float]:
    """Time stamps with what real ones have: rounding, jitter, frames missing, frames that come in bursts."""
    n = draw(st.integers(2, 200))
    period = draw(st.sampled_from([0.05, 0.02, 0.01, 1 / 104.25]))
    steps = np.full(n, period)
    steps[0] = 0
    for frame, n_lost in draw(st.lists(st.tuples(st.integers(1, n), st.integers(1, 40)), max_size=4)):
        if frame < n:
            steps[frame] += n_lost * period
    time_s = np.cumsum(steps)
    for frame, length in draw(st.lists(st.tuples(st.integers(1, n), st.integers(1, 12)), max_size=3)):
        # Frames that wait for a late one and arrive with it.
        stop = min(frame + length, n)
        if frame < stop:
            time_s[frame:stop] = time_s[stop - 1]
    jitter = draw(st.sampled_from([0.0, 0.1, 0.3]))
    seed = draw(st.integers(0, 2**32 - 1))
    time_s += np.random.RandomState(seed).uniform(-jitter, jitter, n) * period
    time_s = np.round(time_s, draw(st.sampled_from([2, 3, 6])))
    return np.maximum.accumulate(time_s).tolist()


def steady(n: int, *changes: tuple[int, float]) -> list[float]:
    """Stamps at 50 Hz in which the step to frame i takes `periods`, for each (i, periods)."""
    steps = np.ones(n)
    steps[0] = 0
    for frame, periods in changes:
        steps[frame] = periods
    return (np.cumsum(steps) * 0.02).tolist()


@given(time_s=stamps())
# Steps just below and above that of a gap.
@example(time_s=steady(60, (30, 1.45)))
@example(time_s=steady(60, (30, 1.55)))
# A frame that came late, and the eighth or ninth behind it catches up.
@example(time_s=steady(60, (30, 2.0), (38, 0.0)))
@example(time_s=steady(60, (30, 2.0), (39, 0.0)))
@example(time_s=steady(60, (30, 2.0), (31, 0.45)))
@example(time_s=steady(60, (30, 2.0), (31, 0.55)))
# Of the steps 75 % and 86 % are even: too few, and enough, for their median to be the period.
@example(time_s=steady(81, *((i, 1.6) for i in range(4, 81, 4))))
@example(time_s=steady(81, *((i, 1.6) for i in range(7, 81, 7))))
def test_rate_and_gaps_are_those_of_the_host_tools(loader: ctypes.CDLL, time_s: list[float]):
    try:
        rate_hz, gaps = timestamps.measure(np.array(time_s))
    except EmlearnError:
        assert measure(loader, time_s) is None
        return
    # Sums are rounded in another order, so leave out what hangs on the last bit of the period.
    steps = np.diff(time_s)
    first = timestamps._first_period(np.array(time_s), steps)
    for period in (first, 1 / rate_hz):
        near = [
            timestamps._gaps(np.array(time_s), steps, period * factor) for factor in (1 - 1e-9, 1, 1 + 1e-9)
        ]
        assume(near[0] == near[1] == near[2])
    found = measure(loader, time_s)
    assert found is not None
    assert found[0] == pytest.approx(rate_hz, rel=1e-12)
    assert found[1] == gaps


def acc_recording() -> Recording:
    """One to load an accelerometer into."""
    return Recording(acc_step_num=1, acc_step_den=8192, sensors=1)


def write_rest(file: Path, time_s: list[float], acc_z: float = 1.0) -> Path:
    """A recording of something that lies still."""
    rows = "".join(f"{t!r},0,0,{acc_z!r}\n" for t in time_s)
    file.write_text("time,acc_x,acc_y,acc_z\n" + rows, encoding="utf-8")
    return file


DAY_PERIODS = 86400 * 50


@pytest.mark.parametrize("periods", [DAY_PERIODS + 1, 2.0**31, 2.0**33, 1e18, 1e300])
def test_over_a_day_of_missing_frames_is_a_clock_that_was_set(
    loader: ctypes.CDLL, tmp_path: Path, periods: float
):
    time_s = steady(60, (30, periods))
    file = write_rest(tmp_path / "jump.csv", time_s)
    jump = f"time jumps by {time_s[30] - time_s[29]:.4g} s at frame 30"
    times = f"from {time_s[29]:.6g} s to {time_s[30]:.6g} s"
    hint = "one file holds one recording; split it where the clock was set"
    assert load(loader, file, acc_recording()) == f"{file}:32: {jump}, {times}; {hint}"
    np.save(tmp_path / "jump.npy", acc_rows(60, time=time_s))
    error = load(loader, tmp_path / "jump.npy", acc_recording())
    assert error == f"{tmp_path}/jump.npy: {jump}, {times}; {hint}"
    if periods > 2**32:
        with pytest.raises(EmlearnError) as refused:
            timestamps.measure(np.array(time_s))
        assert (refused.value.what, refused.value.hint) == (jump, hint)


def test_a_day_of_missing_frames_is_a_gap(loader: ctypes.CDLL, tmp_path: Path):
    out = acc_recording()
    assert load(loader, write_rest(tmp_path / "day.csv", steady(60, (30, DAY_PERIODS - 1))), out) is None
    assert (out.n_gaps, out.gaps[0].frame, out.gaps[0].n_lost) == (1, 30, DAY_PERIODS - 2)


@pytest.mark.parametrize(
    "acc_z", [3.99, 4.01, 5.9, 9.80665, 10.01, 21.5, 22, 90, 150, 599, 601, 1001, 1500, 16384]
)
def test_an_acceleration_in_another_unit_is_refused_as_the_host_does(
    loader: ctypes.CDLL, tmp_path: Path, acc_z: float
):
    file = write_rest(tmp_path / "unit.csv", steady(9), -acc_z)
    try:
        recording.load([file])
        expected = None
    except EmlearnError as refused:
        expected = f"{file}: {refused.what}; {refused.hint}"
    assert (expected is None) == (acc_z < 4)
    assert load(loader, file, acc_recording()) == expected
    if acc_z == 10.01:
        assert "median |acc| is 10.01, not near 1 g, which looks like m/s2; divide" in str(expected)


def test_a_gyroscope_has_no_unit_that_gravity_could_tell(loader: ctypes.CDLL, tmp_path: Path):
    file = tmp_path / "gyro.csv"
    rows = "".join(f"{t!r},900,0,0\n" for t in steady(9))
    file.write_text("time,gyro_x,gyro_y,gyro_z\n" + rows, encoding="utf-8")
    out = Recording(gyro_step_num=1, gyro_step_den=16, sensors=2)
    assert load(loader, file, out) is None


VALUES = st.one_of(
    st.floats(-2.5, 2.5),
    # Halves of a count, where rounding shows.
    st.integers(-20000, 20000).map(lambda halves: halves / 2 / 8192),
    st.sampled_from([-4.0, -3.0, 3.0, 4.0]),
)
"""Values that fit as g and as degrees per second, and some beyond the range."""

SENSORS = {("acc",): 1, ("gyro",): 2, ("acc", "gyro"): 3}


GYRO_STEP = Fraction(7, 400)


def check_as_the_host_reads_it(
    loader: ctypes.CDLL, file: Path, sensors: tuple[str, ...], acc_step: Fraction
) -> None:
    """Frames, labels and rate of a file without gaps."""
    spec = PipelineSpec(
        sensors=sensors,
        acc_step=acc_step if "acc" in sensors else None,
        gyro_step=GYRO_STEP if "gyro" in sensors else None,
        mount=IDENTITY_MOUNT,
        rate_hz=Fraction(50),
        rate_tolerance=0.05,
        window_len=8,
        hop_len=4,
        gravity=(),
        warmup_frames=0,
        features=(),
        smooth=(1, 0, 0),
    )
    out = Recording(
        acc_step_num=acc_step.numerator,
        acc_step_den=acc_step.denominator,
        gyro_step_num=GYRO_STEP.numerator,
        gyro_step_den=GYRO_STEP.denominator,
        sensors=SENSORS[sensors],
    )
    error = load(loader, file, out)
    try:
        (raw,) = recording.load([file])
    except EmlearnError as refused:
        # The firmware does not judge the unit of what it does not read.
        if "acc" in sensors:
            assert error == f"{file}: {refused.what}; {refused.hint}"
        return
    assert error is None
    expected = recording.quantise(raw, spec)
    n_channels = expected.samples.shape[1]
    got = np.ctypeslib.as_array(out.frames, shape=(out.n_frames, n_channels))
    np.testing.assert_array_equal(got, expected.samples)
    found = [(out.spans[i].stop, out.spans[i].label.decode()) for i in range(out.n_spans)]
    assert found == [(span.stop, span.label) for span in expected.spans]
    assert out.n_gaps == 0
    assert out.rate_mhz == round(expected.rate_hz * 1000)


@given(
    values=st.lists(st.tuples(*[VALUES] * 6), min_size=2, max_size=30),
    labels=st.lists(st.sampled_from(["", "walk", "sit down", "läuft"]), min_size=30, max_size=30),
    sensors=st.sampled_from(sorted(SENSORS)),
    acc_step=st.sampled_from([Fraction(61, 1_000_000), Fraction(1, 8192), Fraction(1, 3)]),
    form=st.sampled_from(["plain", "crlf", "cr", "bom", "spaces", "capitals", "other columns"]),
)
def test_frames_and_labels_are_those_of_the_host_tools(
    loader: ctypes.CDLL,
    tmp_path_factory: pytest.TempPathFactory,
    values: list[tuple[float, ...]],
    labels: list[str],
    sensors: tuple[str, ...],
    acc_step: Fraction,
    form: str,
):
    columns = ["time", *(f"{sensor}_{axis}" for sensor in ("acc", "gyro") for axis in "xyz"), "label"]
    rows = [[f"{i * 0.02:.3f}", *(repr(v) for v in row), labels[i]] for i, row in enumerate(values)]
    if form == "other columns":
        order = [7, 3, 2, 1, 0, 6, 5, 4]
        columns = ["note", *(columns[i] for i in order)]
        rows = [["?", *(row[i] for i in order)] for row in rows]
    if form == "capitals":
        columns = [column.upper() for column in columns]
    comma = " , " if form == "spaces" else ","
    end = {"crlf": "\r\n", "cr": "\r"}.get(form, "\n")
    text = end.join(comma.join(row) for row in [columns, *rows]) + end
    file = tmp_path_factory.mktemp("csv") / "recording.csv"
    file.write_bytes(text.encode("utf-8-sig" if form == "bom" else "utf-8"))

    check_as_the_host_reads_it(loader, file, sensors, acc_step)


LABEL_TYPES = {
    "none": None,
    "U12": ["walk", "sit down", "läuft", "", "\U0001f6b6"],
    "S16": [b"walk", "läuft".encode(), b""],
    "i2": [-3, 0, 300],
    "u8": [0, 2**64 - 1],
    "?": [True, False],
}


@given(data=st.data())
def test_an_array_is_read_as_the_host_tools_read_it(
    loader: ctypes.CDLL, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    n = data.draw(st.integers(2, 30))
    sensors = data.draw(st.sampled_from(sorted(SENSORS)))
    order = data.draw(st.sampled_from("<>"))
    label = data.draw(st.sampled_from(sorted(LABEL_TYPES)))
    number = data.draw(st.sampled_from(["f4", "f8", "i1", "i2", "i4", "i8", "u1"]))
    fields = [("time", f"{order}f8")]
    fields += [(f"{sensor}_{axis}", order + number) for sensor in sensors for axis in "xyz"]
    fields += [("label", label if label == "?" else order + label)] * (label != "none")
    fields += data.draw(
        st.sampled_from(
            [
                [],
                [("note", "S3"), ("many", "<f4", (2, 3))],
                [("inside", [("a", "<i4"), ("b", "<f8", (4,))]), (("a title", "named"), "<c16")],
            ]
        )
    )
    fields = data.draw(st.permutations(fields))
    rows = np.zeros(n, dtype=np.dtype(fields, align=data.draw(st.booleans())))
    rows["time"] = np.arange(n) * 0.02
    for sensor in sensors:
        for axis in "xyz":
            few = st.integers(0 if number == "u1" else -3, 3)
            value = VALUES if number.startswith("f") else few
            rows[f"{sensor}_{axis}"] = data.draw(st.lists(value, min_size=n, max_size=n))
    if label != "none":
        rows["label"] = data.draw(st.lists(st.sampled_from(LABEL_TYPES[label]), min_size=n, max_size=n))
    file = tmp_path_factory.mktemp("npy") / "recording.npy"
    with file.open("wb") as stream:
        version = data.draw(st.sampled_from([(1, 0), (2, 0), (3, 0)]))
        np.lib.format.write_array(stream, rows, version=version)
    check_as_the_host_reads_it(loader, file, sensors, Fraction(1, 8192))


def test_an_array_keeps_its_gaps(loader: ctypes.CDLL, tmp_path: Path):
    rows = np.zeros(100, dtype=[(name, "f8") for name in ("time", "acc_x", "acc_y", "acc_z")])
    rows["time"] = steady(100, (40, 6.0))
    np.save(tmp_path / "gap.npy", rows)
    out = Recording(acc_step_num=1, acc_step_den=8192, sensors=1)
    assert load(loader, tmp_path / "gap.npy", out) is None
    assert [(out.gaps[i].frame, out.gaps[i].n_lost) for i in range(out.n_gaps)] == [(40, 5)]
    assert out.rate_mhz == 50000


ACC = [("time", "<f8"), ("acc_x", "<f8"), ("acc_y", "<f8"), ("acc_z", "<f8")]


def acc_rows(n: int = 4, fields: list[tuple[str, str]] = ACC, **values: object) -> np.ndarray:
    """Rows at 50 Hz."""
    rows = np.zeros(n, dtype=fields)
    rows["time"] = np.arange(n) * 0.02
    for name, value in values.items():
        rows[name] = value
    return rows


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((5, 7)), "holds a plain array of shape (5, 7), not named columns; save a structured array"),
        (np.zeros(5), "holds a plain array of shape (5,)"),
        (acc_rows().reshape(2, 2), "holds a plain array of shape (2, 2)"),
        (acc_rows()[["time", "acc_x", "acc_z"]], "column acc_y is missing"),
        (acc_rows()[["acc_x", "acc_y", "acc_z"]], "column time is missing"),
        (acc_rows(fields=[*ACC[:3], ("acc_z", "S4")]), "acc_z is not of a type i1 to i8, u1 to u8, f4 or f8"),
        (acc_rows(fields=[*ACC, ("label", "f8")]), "label is not of a type that is text or whole numbers"),
        (acc_rows(acc_y=[0, 0, np.nan, 0]), "frame 2: acc_y is not a finite number"),
        (acc_rows(time=[0, 0.02, np.inf, 0]), "frame 2: time is not a finite number"),
        (acc_rows(time=[0, 0.02, 0.01, 0.03]), "time goes back from 0.02 s to 0.01 s at frame 2; one file"),
        (acc_rows(time=0), "the time stamps give no rate of an IMU"),
        (acc_rows(0), "holds no frames"),
    ],
)
def test_an_array_that_cannot_be_played_is_one_error(
    loader: ctypes.CDLL, tmp_path: Path, array: np.ndarray, complaint: str
):
    file = tmp_path / "bad.npy"
    np.save(file, array)
    with pytest.raises(EmlearnError):
        recording.load([file])
    error = load(loader, file, Recording(acc_step_num=1, acc_step_den=8192, sensors=1))
    assert error is not None
    assert error.startswith(f"{file}: {complaint}")
    assert "\n" not in error


ROWS = "".join(f"{i * 0.02:.2f},0,0,1\n" for i in range(9))
PLAIN = "time,acc_x,acc_y,acc_z\n" + ROWS
WIDE = ",".join(f"note{i}" for i in range(61))

BAD_TEXTS = [
    # Refused by the host in the same words.
    (b"", "is empty"),
    (b"\n \n", "is empty"),
    (b"time,acc_x,acc_y,acc_z\n", "has a header and no frames"),
    (b"acc_x,acc_y,acc_z\n0,0,1\n", "column time is missing"),
    (PLAIN.replace(",", ";"), "fields are separated by `;`; save it with commas, and points in numbers"),
    (PLAIN.replace("acc_y", "ACC_X"), "column acc_x is there twice"),
    (PLAIN.replace("acc_y", "acc_y,time").replace(",0,1", ",0,0,1"), "column time is there twice"),
    (PLAIN.replace("acc_z\n", "acc_z,b,a,b,a\n").replace(",1\n", ",1,,,,\n"), "column a is there twice"),
    (PLAIN.replace("0.04,0", "0.04,0x10"), "acc_x is '0x10', not a number"),
    (PLAIN.replace("0.04,0", "0.04,0X1p4"), "acc_x is '0X1p4', not a number"),
    (PLAIN.replace("0.04,0", "0x0,0"), "time is '0x0', not a number"),
    (PLAIN.replace("0.04,0", "0.04,one"), "acc_x is 'one', not a number"),
    (PLAIN.replace("0.04,0", "0.04,1.5.5"), "acc_x is '1.5.5', not a number"),
    (PLAIN.replace("0.04,0", "0.04,nan"), "acc_x is not a finite number"),
    (PLAIN.replace("0.04,0", "0.04,1e999"), "acc_x is not a finite number"),
    (PLAIN.replace("0.04,0", "-inf,0"), "time is not a finite number"),
    (PLAIN.replace("0.04,0", "0.04, "), "acc_x is empty"),
    (PLAIN.replace("0.04,0,0,1", "0.04,0,0"), "3 fields, the header has 4"),
    (PLAIN.replace("0.04", "0.01"), "time goes back from 0.02 s to 0.01 s at frame 2"),
    (PLAIN.encode("utf-16"), "is not UTF-8 text (byte 0); save it as UTF-8"),
    (PLAIN.encode() + b"1,0,0,1,l\xe4uft\n", f"is not UTF-8 text (byte {len(PLAIN) + 9}); save it as UTF-8"),
    (b"\x89PNG\r\n\x1a\n" + bytes(9000), "is not UTF-8 text (byte 0)"),
    (bytes(range(128, 256)) * 80, "is not UTF-8 text (byte 0)"),
    ("version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer, not the data; run git lfs pull"),
]
"""What a file holds, and the complaint, which stands behind the place."""

REFUSED_HERE = [
    (PLAIN.encode("utf-16-le"), "is no text, byte 1 is 0; save it as UTF-8"),
    (PLAIN.encode() + bytes(1), f"is no text, byte {len(PLAIN)} is 0"),
    (
        PLAIN.replace("1\n", f"1,{WIDE}\n").replace("acc_z\n", f"acc_z,{WIDE}\n"),
        "65 columns, 64 at most are read",
    ),
    (PLAIN.replace("0.04,0,0,1", "0.04,0,0,1,1"), "5 fields, the header has 4"),
]
"""The host reads these, or says less of them."""


def bad_file(folder: Path, content: str | bytes) -> Path:
    file = folder / "bad.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(("content", "complaint"), BAD_TEXTS)
def test_what_is_no_recording_is_refused_in_the_words_of_the_host(
    loader: ctypes.CDLL, tmp_path: Path, content: str | bytes, complaint: str
):
    file = bad_file(tmp_path, content)
    error = str(load(loader, file, acc_recording()))
    place, found = error.split(": ", 1)
    assert found.startswith(complaint)
    with pytest.raises(EmlearnError) as refused:
        recording.load([file])
    assert found.startswith(refused.value.what)
    # The host does not always know the line.
    assert place.startswith(str(file)) and refused.value.where in (place, str(file))


@pytest.mark.parametrize(("content", "complaint"), REFUSED_HERE)
def test_what_the_host_has_no_words_for_is_refused(
    loader: ctypes.CDLL, tmp_path: Path, content: str | bytes, complaint: str
):
    assert f": {complaint}" in str(load(loader, bad_file(tmp_path, content), acc_recording()))


@given(content=st.binary(min_size=1, max_size=8), at=st.integers(0, 40))
@example(content="\u07ff\u0800\uffff\U00010000\U0010ffff".encode()[:8], at=0)
@example(content=b"\xed\xa0\x80", at=0)
@example(content=b"\xf4\x90\x80\x80", at=0)
@example(content=b"\xe0\x9f\xbf", at=0)
@example(content=b"\xc1\xbf", at=0)
def test_text_is_what_python_decodes(
    loader: ctypes.CDLL, tmp_path_factory: pytest.TempPathFactory, content: bytes, at: int
):
    content = PLAIN.encode()[:at] + content + b"\n"
    error = str(load(loader, bad_file(tmp_path_factory.mktemp("text"), content), acc_recording()))
    try:
        content.decode()
    except UnicodeDecodeError as wrong:
        first = min(wrong.start, (content + bytes(1)).index(0))
        expected = "is not UTF-8 text" if first == wrong.start else "is no text, byte"
        assert expected in error
        assert f"byte {first}" in error
    else:
        assert "UTF-8 text" not in error


def test_a_line_may_be_as_long_as_it_likes(loader: ctypes.CDLL, tmp_path: Path):
    long = "n" * 200_000
    text = PLAIN.replace("acc_z\n", "acc_z,note\n").replace("1\n", f"1,{long}\n")
    out = acc_recording()
    assert load(loader, bad_file(tmp_path, text), out) is None
    assert out.n_frames == 9


def test_only_a_regular_file_is_read(loader: ctypes.CDLL, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.csv")
    error = load(loader, tmp_path / "pipe.csv", acc_recording())
    assert error == f"{tmp_path}/pipe.csv: is no regular file; save what comes from it, and name that"
    assert load(loader, tmp_path, acc_recording()) == (
        f"{tmp_path}: is a folder; one recording is played, name its file"
    )
    assert "cannot be opened (No such file" in str(load(loader, tmp_path / "none.csv", acc_recording()))


def npy(header: str, data: bytes = bytes(128), version: int = 1) -> bytes:
    """A file with any text in its header."""
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2, "little") + header.encode() + data


HEADER = "{'descr': [('time', '<f8'), ('acc_x', '<f8'), ('acc_y', '<f8'), ('acc_z', '<f8')], "


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"time,acc_x,acc_y,acc_z\n0,0,0,1\n", "does not begin as an NPY file does"),
        (npy("", version=9), "is NPY of version 9; 1 to 3 are read here"),
        (b"\x93NUMPY\x01\x00\x80", "ends within its header"),
        (b"\x93NUMPY\x02\x00\x80\x00\x00", "ends within its header"),
        (b"\x93NUMPY\x01\x00\x80\x00{'descr'", "ends within its header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "has a header of more than 16384 bytes"),
        (npy(HEADER + "'fortran_order': False, 'shape': (5,)}"), "ends behind 4 of 5 frames"),
        (npy(HEADER.replace("acc_y", "acc_x") + "'shape': (4,)}"), "column acc_x is there twice"),
        *(
            (npy(text), "has a header that is not read here")
            for text in (
                "",
                "{}",
                "[]",
                "{'descr': '<f8'}",
                HEADER,
                HEADER + "'fortran_order': False}",
                HEADER + "'fortran_order': , 'shape': (4,)}",
                HEADER + "'shape': (99999999999999999999999,)}",
                HEADER + "'shape': (4294967295, 4294967295,)}",
                HEADER + "'shape': (-4,)}",
                HEADER + "'shape': (4,",
                "{'descr': [('time', '<f8'), ('acc_x', '<f99999999999')], 'shape': (4,)}",
                "{'descr': [('time', '<f8'), ('many', '<f8', (9999999, 9999999))], 'shape': (4,)}",
                "{'descr': [('time', '<f8', )('x', '<U4000000'), ('y', '<U4000000')], 'shape': (4,)}",
                "{'descr': [('time', '<')], 'shape': (4,)}",
                "{'descr': [('time)], 'shape': (4,)}",
                "{'descr': [('a\\x00', '<f8')], 'shape': (4,)}",
                "{'descr': [(('a', 'b'), [('c', [('d', '<f8')])])], 'shape': (4,)}",
                "{'descr': [" + ", ".join(f"('f{i}', '<f8')" for i in range(65)) + "], 'shape': (4,)}",
                "{'descr': [('" + 64 * "a" + "', '<f8')], 'shape': (4,)}",
            )
        ),
    ],
)
def test_a_file_that_is_no_array_is_one_error(
    loader: ctypes.CDLL, tmp_path: Path, content: bytes, complaint: str
):
    file = tmp_path / "bad.npy"
    file.write_bytes(content)
    error = load(loader, file, Recording(acc_step_num=1, acc_step_den=8192, sensors=1))
    assert error is not None
    assert error.startswith(f"{file}: {complaint}")


@given(cut=st.integers(0, 300), at=st.integers(0, 299), byte=st.integers(0, 255))
def test_a_damaged_array_is_refused_or_read(
    loader: ctypes.CDLL, tmp_path_factory: pytest.TempPathFactory, cut: int, at: int, byte: int
):
    folder = tmp_path_factory.mktemp("npy")
    np.save(folder / "good.npy", acc_rows(acc_z=1))
    content = bytearray((folder / "good.npy").read_bytes())
    content[min(at, len(content) - 1)] = byte
    (folder / "bad.npy").write_bytes(content[: len(content) - cut] if cut < 50 else content)
    out = Recording(acc_step_num=1, acc_step_den=8192, sensors=1)
    error = load(loader, folder / "bad.npy", out)
    assert error is not None or out.n_frames >= 2


def test_an_archive_is_refused(loader: ctypes.CDLL, tmp_path: Path):
    np.savez(tmp_path / "a.npz", acc=np.zeros((4, 3)), rate_hz=50)
    out = Recording(acc_step_num=1, acc_step_den=8192, sensors=1)
    assert (
        load(loader, tmp_path / "a.npz", out) == f"{tmp_path}/a.npz: is an archive; CSV or NPY is read here"
    )


def sensors_of(loader: ctypes.CDLL, file: Path) -> int | str:
    """The sensors that a file has, or the error."""
    out = Recording(acc_step_num=1, acc_step_den=8192, gyro_step_num=1, gyro_step_den=16)
    error = load(loader, file, out)
    return out.sensors if error is None else error


def test_where_no_sensors_are_wanted_those_of_the_file_are_read(loader: ctypes.CDLL, tmp_path: Path):
    gyro = [(name.replace("acc", "gyro"), kind) for name, kind in ACC]
    np.save(tmp_path / "acc.npy", acc_rows())
    np.save(tmp_path / "gyro.npy", acc_rows(fields=gyro))
    np.save(tmp_path / "both.npy", acc_rows(fields=ACC + gyro[1:]))
    np.save(tmp_path / "part.npy", acc_rows(fields=ACC + gyro[1:3]))
    np.save(tmp_path / "none.npy", acc_rows(fields=ACC[:1]))
    assert sensors_of(loader, tmp_path / "acc.npy") == 1
    assert sensors_of(loader, tmp_path / "gyro.npy") == 2
    assert sensors_of(loader, tmp_path / "both.npy") == 3
    assert "column gyro_z is missing" in str(sensors_of(loader, tmp_path / "part.npy"))
    assert "columns acc_x, acc_y, acc_z are missing" in str(sensors_of(loader, tmp_path / "none.npy"))


@pytest.mark.parametrize(
    ("largest", "n_max", "n"),
    [
        (3.99, 2, 0),
        (4.0, 2, 1),
        (-4.0, 2, 0),
        (-4.1, 2, 1),
        (7.9, 2, 1),
        (8.0, 2, 2),
        (100.0, 2, 2),
        (8.0, 0, 0),
    ],
)
def test_a_step_is_doubled_until_nothing_is_clipped(
    loader: ctypes.CDLL, tmp_path: Path, largest: float, n_max: int, n: int
):
    gyro = [(name.replace("acc", "gyro"), kind) for name, kind in ACC[1:]]
    rows = acc_rows(fields=ACC + gyro, acc_y=[0, largest, 0, 1], gyro_x=1000)
    np.save(tmp_path / "a.npy", rows)
    table = ctypes.c_void_p()
    name = str(tmp_path / "a.npy").encode()
    assert loader.recording_file_read(name, ctypes.c_uint8(0), ctypes.byref(table)) is None
    assert loader.recording_file_doublings(table, ctypes.c_uint8(1), 1, 8192, n_max) == n
