# SPDX-License-Identifier: Apache-2.0
"""Time stamps, label runs, quantising and resampling."""

import dataclasses
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from emlearn_tools import timestamps
from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import (
    Gap,
    RawRecording,
    Span,
    labels_of,
    quantise,
    resample,
    spans_of,
)
from emlearn_tools.spec import PipelineSpec
from hypothesis import given
from hypothesis import strategies as st

CHANNELS = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")


def make_spec(**changes) -> PipelineSpec:
    spec = PipelineSpec(
        sensors=("acc",),
        acc_step=Fraction(1, 1000),
        gyro_step=None,
        mount=((0, 1), (1, 1), (2, 1)),
        rate_hz=Fraction(50),
        rate_tolerance=0.05,
        window_len=10,
        hop_len=5,
        gravity=(),
        warmup_frames=0,
        features=("acc_x.mean",),
        smooth=(1, 0, 0),
    )
    return dataclasses.replace(spec, **changes)


def make_raw(values, rate_hz=50.0, spans=None, gaps=(), channels=None) -> RawRecording:
    values = np.asarray(values, dtype=float)
    return RawRecording(
        name="folder/a.csv",
        subject="p1",
        recording="r1",
        rate_hz=rate_hz,
        channels=channels or CHANNELS[: values.shape[1]],
        values=values,
        spans=spans if spans is not None else (Span(0, len(values), "walk"),),
        gaps=gaps,
        source=Path("folder/a.csv"),
    )


# Time stamps


def test_even_stamps_give_their_rate_and_no_gap():
    rate, gaps = timestamps.measure(np.arange(500) * 0.02)
    assert rate == pytest.approx(50, rel=1e-12)
    assert gaps == ()


@pytest.mark.parametrize("rate_hz", [19.86, 52.0, 102.5, 104.25, 416.0])
def test_stamps_in_whole_milliseconds_give_the_true_rate(rate_hz):
    time_s = np.round(np.arange(2000) / rate_hz, 3)
    rate, gaps = timestamps.measure(time_s)
    assert rate == pytest.approx(rate_hz, rel=1e-3)
    assert gaps == ()


@given(
    n=st.integers(40, 300),
    rate_hz=st.sampled_from([20.0, 50.0, 104.0]),
    holes=st.dictionaries(st.integers(1, 39), st.integers(1, 500), max_size=4),
    start=st.floats(0, 1e5),
)
def test_missing_frames_are_counted_exactly(n, rate_hz, holes, start):
    steps = np.ones(n)
    steps[0] = 0
    for frame, n_lost in holes.items():
        steps[frame] += n_lost
    rate, gaps = timestamps.measure(start + np.cumsum(steps) / rate_hz)
    assert gaps == tuple(sorted(holes.items()))
    assert rate == pytest.approx(rate_hz, rel=1e-6)


@given(seed=st.integers(0, 2**32 - 1))
def test_jitter_of_a_fifth_of_a_period_is_no_gap_and_hides_none(seed):
    rng = np.random.default_rng(seed)
    steps = np.ones(400)
    steps[[100, 250]] += [1, 7]
    rate, gaps = timestamps.measure((np.cumsum(steps) + rng.uniform(-0.2, 0.2, 400)) / 20)
    assert gaps == ((100, 1), (250, 7))
    assert rate == pytest.approx(20, rel=5e-3)


@pytest.mark.parametrize("burst", [2, 3, 5, 8])
def test_frames_that_arrive_in_bursts_are_no_gaps(burst):
    frame = np.arange(40 * burst)
    arrival = (frame // burst + 1) * burst / 50
    rate, gaps = timestamps.measure(arrival)
    assert gaps == ()
    assert rate == pytest.approx(50, rel=0.05)


def test_frames_close_together_within_bursts_do_not_pass_for_the_rate():
    frame = np.arange(300)
    arrival = (frame // 3 + 1) * 0.06 + (frame % 3) * 0.001
    rate, gaps = timestamps.measure(arrival)
    assert gaps == ()
    assert rate == pytest.approx(50, rel=0.05)


def test_a_hole_between_bursts_is_a_gap():
    frame = np.arange(200)
    arrival = (frame // 4 + 1) * 4 / 50
    arrival[100:] += 20 / 50
    assert timestamps.measure(arrival)[1] == ((100, 20),)


def test_one_late_frame_is_no_gap():
    time_s = np.arange(100) / 50
    time_s[40] += 0.7 / 50
    assert timestamps.measure(time_s)[1] == ()


def test_half_a_period_too_much_is_a_gap_of_one():
    time_s = np.arange(1000) / 50
    time_s[500:] += 0.55 / 50
    assert timestamps.measure(time_s)[1] == ((500, 1),)
    time_s[500:] -= 0.1 / 50
    assert timestamps.measure(time_s)[1] == ()


def test_a_change_of_rate_does_not_hide_the_hole_before_it():
    steps = np.full(600, 0.05)
    steps[300] = 0.217
    steps[301:340] = 0.04
    assert timestamps.measure(np.cumsum(steps))[1] == ((300, 3),)


@pytest.mark.parametrize(
    ("time_s", "message"),
    [
        ([], "0 frames"),
        ([0.0], "1 frame,"),
        ([0.0, 0.02, 0.01], "goes back"),
        ([*(i * 0.02 for i in range(40)), 1.7e9, 1.7e9 + 0.02], "jumps by 1.7e+09 s at frame 40"),
        ([1.0, 1.0, 1.0], "does not advance"),
        (np.arange(100) * 20.0, "0.05 Hz"),
        (np.arange(100) * 1e-6, "1e+06 Hz"),
    ],
)
def test_time_that_cannot_be_is_refused(time_s, message):
    with pytest.raises(EmlearnError, match=message.replace("+", r"\+")) as caught:
        timestamps.measure(np.asarray(time_s, dtype=float), "a.csv")
    assert str(caught.value).startswith("a.csv: ")


# Label runs


@given(st.lists(st.sampled_from(["", "a", "b", "ab"]), max_size=60))
def test_spans_are_runs_that_cover_all_and_read_back(labels):
    spans = spans_of(np.array(labels, dtype=str))
    assert [label for span in spans for label in [span.label] * (span.stop - span.start)] == labels
    assert all(a.stop == b.start and a.label != b.label for a, b in zip(spans, spans[1:], strict=False))
    assert labels_of(spans).tolist() == labels


def test_a_recording_knows_whether_anybody_labelled_it():
    values = np.zeros((4, 3))
    assert make_raw(values).has_labels
    assert not make_raw(values, spans=(Span(0, 2, ""), Span(2, 4, "unlabeled"))).has_labels


# Quantising


@given(
    values=st.lists(st.tuples(*[st.floats(-40, 40)] * 3), min_size=1, max_size=20),
    step=st.sampled_from([Fraction(1, 8192), Fraction(61, 1_000_000), Fraction(1, 1000)]),
    order=st.permutations([0, 1, 2]),
    signs=st.tuples(*[st.sampled_from([-1, 1])] * 3),
)
def test_quantise_is_floor_of_the_value_in_steps_plus_a_half_and_then_turned(values, step, order, signs):
    mount = tuple(zip(order, signs, strict=True))
    got = quantise(make_raw(values), make_spec(acc_step=step, mount=mount))
    n_clipped = 0
    for row, samples in zip(values, got.samples.tolist(), strict=True):
        counts = [int(Decimal(value / float(step) + 0.5).to_integral_value(ROUND_FLOOR)) for value in row]
        n_clipped += any(not -32768 <= count <= 32767 for count in counts)
        held = [min(max(count, -32768), 32767) for count in counts]
        assert samples == [min(sign * held[axis], 32767) for axis, sign in mount]
    assert got.n_clipped == n_clipped
    assert got.samples.dtype == np.int16 and got.samples.flags.c_contiguous


def test_quantise_rounds_to_nearest_and_a_half_upwards():
    step = Fraction(1, 8192)
    values = [[-1.5, -0.5, 0.5], [-0.5001, 0.4999, 1.4999], [-1.4999, 0.5001, 2.5]]
    raw = make_raw(np.array(values) * float(step))
    expected = [[-1, 0, 1], [-1, 0, 1], [-1, 1, 3]]
    assert quantise(raw, make_spec(acc_step=step)).samples.tolist() == expected


def test_quantise_takes_the_spec_s_sensors_in_its_order_each_with_its_step():
    raw = make_raw([[0.001, 0.002, 0.003, 10, 20, 30]], spans=(Span(0, 1, "x"),), gaps=())
    both = make_spec(sensors=("acc", "gyro"), gyro_step=Fraction(1, 2), mount=((2, -1), (0, 1), (1, 1)))
    assert quantise(raw, both).samples.tolist() == [[-3, 1, 2, -60, 20, 40]]
    gyro = make_spec(sensors=("gyro",), acc_step=None, gyro_step=Fraction(2))
    assert quantise(raw, gyro).samples.tolist() == [[5, 10, 15]]


def test_every_code_of_a_chip_comes_back_from_its_physical_value():
    codes = np.arange(-32768, 32768)
    for step in (Fraction(61, 1_000_000), Fraction(2, 32768), Fraction(1, 8192)):
        values = np.repeat(codes[:, None] * float(step), 3, axis=1)
        got = quantise(make_raw(values), make_spec(acc_step=step))
        assert (got.samples == codes[:, None]).all()
        assert got.n_clipped == 0


def test_quantise_keeps_who_where_labels_and_gaps():
    raw = make_raw(np.zeros((9, 3)), spans=(Span(0, 4, "a"), Span(4, 9, "b")), gaps=(Gap(3, 2),))
    got = quantise(raw, make_spec())
    assert (got.name, got.subject, got.recording, got.rate_hz) == ("folder/a.csv", "p1", "r1", 50.0)
    assert (got.spans, got.gaps) == (raw.spans, raw.gaps)


def test_quantise_refuses_a_missing_sensor():
    spec = make_spec(sensors=("acc", "gyro"), gyro_step=Fraction(1))
    with pytest.raises(EmlearnError, match="has no gyro_x, gyro_y, gyro_z") as caught:
        quantise(make_raw(np.zeros((9, 3))), spec)
    assert "folder/a.csv" in str(caught.value)


@pytest.mark.parametrize(("rate_hz", "fits"), [(47.5, True), (52.5, True), (47.4, False), (52.6, False)])
def test_quantise_holds_the_rate_to_the_tolerance(rate_hz, fits):
    raw = make_raw(np.zeros((9, 3)), rate_hz=rate_hz)
    if fits:
        assert len(quantise(raw, make_spec()).samples) == 9
    else:
        with pytest.raises(EmlearnError, match=f"runs at {rate_hz} Hz, the spec wants 50 Hz within 5 %"):
            quantise(raw, make_spec())


# Resampling


@given(n=st.integers(2, 200), rate_hz=st.floats(10, 200))
def test_a_straight_line_stays_one_at_any_rate(n, rate_hz):
    slope = np.array([1.0, -2.0, 0.5])
    raw = make_raw(np.arange(n)[:, None] / 50 * slope)
    got = resample(raw, rate_hz)
    seconds = np.arange(len(got.values)) / rate_hz
    np.testing.assert_allclose(got.values, seconds[:, None] * slope, atol=1e-9)
    assert seconds[-1] <= (n - 1) / 50 + 1e-9 < seconds[-1] + 1 / rate_hz + 2e-9
    assert got.rate_hz == rate_hz
    assert got.spans == (Span(0, len(got.values), "walk"),)


def test_resampling_to_the_same_rate_changes_nothing():
    values = np.random.default_rng(1).normal(size=(50, 3))
    raw = make_raw(values, spans=(Span(0, 20, "a"), Span(20, 50, "b")), gaps=(Gap(10, 3), Gap(11, 1)))
    got = resample(raw, 50.0)
    np.testing.assert_array_equal(got.values, values)
    assert (got.spans, got.gaps) == (raw.spans, raw.gaps)


def test_resampling_never_mixes_the_two_sides_of_a_gap():
    values = np.concatenate([np.zeros((20, 3)), np.ones((20, 3))])
    raw = make_raw(values, spans=(Span(0, 20, "a"), Span(20, 40, "b")), gaps=(Gap(20, 10),))
    for rate_hz in (13.0, 33.3, 52.0, 100.0, 171.0):
        got = resample(raw, rate_hz)
        assert set(np.unique(got.values)) == {0.0, 1.0}
        (gap,) = got.gaps
        assert (got.values[: gap.frame] == 0).all() and (got.values[gap.frame :] == 1).all()
        assert gap.n_lost == max(1, round(10 * rate_hz / 50))
        assert got.spans == (Span(0, gap.frame, "a"), Span(gap.frame, len(got.values), "b"))


def test_a_gap_stays_one_however_low_the_rate():
    raw = make_raw(np.zeros((40, 3)), gaps=(Gap(20, 1),))
    assert resample(raw, 10.0).gaps == (Gap(4, 1),)


@pytest.mark.parametrize(("old_hz", "new_hz", "n", "n_new"), [(50, 150, 100, 298), (104.25, 104, 418, 417)])
def test_the_last_frame_is_kept_where_it_falls_on_the_new_grid(old_hz, new_hz, n, n_new):
    # 417 * 104 / 104.25 is 416, and a little less in floating point.
    assert len(resample(make_raw(np.zeros((n, 3)), rate_hz=old_hz), new_hz).values) == n_new


def test_resampling_takes_the_label_of_the_nearest_frame():
    raw = make_raw(np.zeros((40, 3)), spans=(Span(0, 10, "a"), Span(10, 40, "b")))
    got = resample(raw, 100.0)
    assert len(got.values) == 79
    assert got.spans == (Span(0, 19, "a"), Span(19, 79, "b"))


def test_resampling_refuses_a_rate_that_is_none():
    for rate_hz in (0.0, -1.0, float("nan")):
        with pytest.raises(EmlearnError, match="cannot resample"):
            resample(make_raw(np.zeros((9, 3))), rate_hz)
