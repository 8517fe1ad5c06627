# SPDX-License-Identifier: Apache-2.0
"""The loader of recordings in firmware for native_sim, without Zephyr: it reads what the host tools read."""

import ctypes
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


@pytest.mark.parametrize("periods", [2.0**33, 1e18, 1e300])
def test_more_missing_frames_than_can_be_counted_are_a_clock_that_was_set(
    loader: ctypes.CDLL, tmp_path: Path, periods: float
):
    time_s = steady(60, (30, periods))
    with pytest.raises(EmlearnError, match="time jumps by .* s at frame 30"):
        timestamps.measure(np.array(time_s))
    file = tmp_path / "jump.csv"
    file.write_text("time,acc_x,acc_y,acc_z\n" + "".join(f"{t!r},0,0,1\n" for t in time_s), encoding="utf-8")
    out = Recording(acc_step_num=1, acc_step_den=8192, sensors=1)
    assert "jump.csv: time jumps by years" in load(loader, file, out)


VALUES = st.one_of(
    st.floats(-2.5, 2.5),
    # Halves of a count, where rounding shows.
    st.integers(-20000, 20000).map(lambda halves: halves / 2 / 8192),
    st.sampled_from([-4.0, -3.0, 3.0, 4.0]),
)
"""Values that fit as g and as degrees per second, and some beyond the range."""

SENSORS = {("acc",): 1, ("gyro",): 2, ("acc", "gyro"): 3}


@given(
    values=st.lists(st.tuples(*[VALUES] * 6), min_size=2, max_size=30),
    labels=st.lists(st.sampled_from(["", "walk", "sit down", "läuft"]), min_size=30, max_size=30),
    sensors=st.sampled_from(sorted(SENSORS)),
    acc_step=st.sampled_from([Fraction(61, 1_000_000), Fraction(1, 8192), Fraction(1, 3)]),
    form=st.sampled_from(["plain", "crlf", "bom", "spaces", "capitals", "other columns"]),
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
    gyro_step = Fraction(7, 400)
    columns = ["time", *(f"{sensor}_{axis}" for sensor in ("acc", "gyro") for axis in "xyz"), "label"]
    rows = [[f"{i * 0.02:.3f}", *(repr(v) for v in row), labels[i]] for i, row in enumerate(values)]
    if form == "other columns":
        order = [7, 3, 2, 1, 0, 6, 5, 4]
        columns = ["note", *(columns[i] for i in order)]
        rows = [["?", *(row[i] for i in order)] for row in rows]
    if form == "capitals":
        columns = [column.upper() for column in columns]
    comma = " , " if form == "spaces" else ","
    end = "\r\n" if form == "crlf" else "\n"
    text = end.join(comma.join(row) for row in [columns, *rows]) + end
    file = tmp_path_factory.mktemp("csv") / "recording.csv"
    file.write_bytes(text.encode("utf-8-sig" if form == "bom" else "utf-8"))

    spec = PipelineSpec(
        sensors=sensors,
        acc_step=acc_step if "acc" in sensors else None,
        gyro_step=gyro_step if "gyro" in sensors else None,
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
        gyro_step_num=gyro_step.numerator,
        gyro_step_den=gyro_step.denominator,
        sensors=SENSORS[sensors],
    )
    assert load(loader, file, out) is None
    try:
        (raw,) = recording.load([file])
    except EmlearnError as refused:
        # The firmware does not judge the unit.
        assert "not near 1 g" in refused.what
        return
    expected = recording.quantise(raw, spec)
    n_channels = expected.samples.shape[1]
    got = np.ctypeslib.as_array(out.frames, shape=(out.n_frames, n_channels))
    np.testing.assert_array_equal(got, expected.samples)
    found = [(out.spans[i].stop, out.spans[i].label.decode()) for i in range(out.n_spans)]
    assert found == [(span.stop, span.label) for span in expected.spans]
    assert out.n_gaps == 0
    assert out.rate_mhz == round(expected.rate_hz * 1000)
