# SPDX-License-Identifier: Apache-2.0
"""Labelled IMU recordings from a kinematic model: for demonstrations and tests, not a stand-in for people.

A sensor sits on a body. In each bout of an activity the body repeats a movement with phase p(t), whose rate
(steps, repetitions or shakes a second) and strength wander slowly. In a frame with x forward, y left, z up:

    up        = vertical_g * w(p)                  w: harmonics 1..6, each `sharpness` times the last
    forward   = forward_g  * w(p + person's phase)
    sideways  = sideways_g * sin(q)                q = p / 2 where left and right alternate, else p
    pitch     = posture + pitch_deg * (sin(p), or (1 - cos(p)) / 2 for a bend from upright)
    roll, yaw = roll_deg * sin(q), yaw_deg * cos(q), plus turns

The accelerometer feels R' (a + 1 g up), R = Rz(yaw) Ry(pitch) Rx(roll), and the gyroscope the angular
velocity of R, both turned by how the person wears the sensor. Then come scale error, bias, white noise, the
limits of the range and the grid of the converter. Harmonics over 0.45 frame rates are left out. Persons
differ in rate, strength, shape and wear; a person wears the sensor anew in each recording; bouts differ a
little.

Activities (see ACTIVITIES): resting (sitting, standing or lying, with breath and fidgets), walking (with
pauses to turn round), running, stairs (with level landings), squats (with rests), shaking. Walking and
stairs overlap, as with people. Between bouts the label is `unlabeled`.

The numbers come from a generator whose stream numpy has frozen, so a seed gives the same recordings
everywhere, but for what the last bit of sine can move across a step of the grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emlearn_tools.atomic import write_texts
from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders import csv_table, table
from emlearn_tools.recording import RawRecording, spans_of

N_SUBJECTS, MINUTES, RATE_HZ = 8, 4.0, 50.0
"""Defaults of make()."""

ACC_RANGE_G, GYRO_RANGE_DPS = 4.0, 500.0
ACC_NOISE_G, GYRO_NOISE_DPS = 0.004, 0.3
ACC_BIAS_G, GYRO_BIAS_DPS = 0.02, 1.0
SCALE_ERROR = 0.01
"""The sensor: full scale of 16 bits; white noise a sample; bias and relative scale error, standard
deviations."""

TRANSITION_S = 1.5
"""From one bout to the next, unlabelled."""

BOUT_S = 20.0
"""What a bout is meant to last; a bout is never under MIN_BOUT_S."""

MIN_BOUT_S = 6.0

N_HARMONICS = 6


@dataclass(frozen=True)
class Activity:
    """A movement. Pairs are (low, high) of what persons do, the middle being more likely than the ends.

    rate_hz: of the phase p. *_g: accelerations. *_deg: angles. sharpness: ratio of neighbouring harmonics.
    alternate: left and right take turns, so sideways, roll and yaw have half the rate. bend: pitch goes one
    way from upright. postures_deg: pitch to start from, one of them a bout. pause: what the movement does
    in its pauses, as a share of its strength; pause_s: their length, 0 for none; pause_every_s: from one to
    the next. turns: whether the body turns half round in a pause.
    """

    rate_hz: tuple[float, float]
    vertical_g: tuple[float, float]
    forward_g: tuple[float, float]
    sideways_g: tuple[float, float]
    pitch_deg: tuple[float, float]
    roll_deg: tuple[float, float]
    yaw_deg: tuple[float, float]
    sharpness: tuple[float, float]
    alternate: bool = True
    bend: bool = False
    postures_deg: tuple[float, ...] = (0.0,)
    pause: float = 1.0
    pause_s: float = 0.0
    pause_every_s: float = 10.0
    turns: bool = False


ACTIVITIES = {
    "resting": Activity(
        rate_hz=(0.2, 0.35),
        vertical_g=(0.002, 0.006),
        forward_g=(0.002, 0.006),
        sideways_g=(0.001, 0.003),
        pitch_deg=(0.3, 1.0),
        roll_deg=(0.1, 0.5),
        yaw_deg=(0.1, 0.5),
        sharpness=(0.1, 0.2),
        alternate=False,
        postures_deg=(0.0, 65.0, 85.0),
        pause=25.0,
        pause_s=1.5,
        pause_every_s=9.0,
    ),
    "walking": Activity(
        rate_hz=(1.5, 2.1),
        vertical_g=(0.12, 0.34),
        forward_g=(0.08, 0.20),
        sideways_g=(0.05, 0.14),
        pitch_deg=(2.0, 6.0),
        roll_deg=(2.0, 6.0),
        yaw_deg=(4.0, 10.0),
        sharpness=(0.22, 0.4),
        pause=0.4,
        pause_s=2.0,
        pause_every_s=11.0,
        turns=True,
    ),
    "running": Activity(
        rate_hz=(2.2, 3.0),
        vertical_g=(0.45, 2.2),
        forward_g=(0.2, 0.5),
        sideways_g=(0.15, 0.35),
        pitch_deg=(4.0, 9.0),
        roll_deg=(4.0, 9.0),
        yaw_deg=(8.0, 16.0),
        sharpness=(0.35, 0.6),
        pause=0.3,
        pause_s=2.0,
        pause_every_s=15.0,
        turns=True,
    ),
    "stairs": Activity(
        rate_hz=(1.25, 1.75),
        vertical_g=(0.18, 0.42),
        forward_g=(0.05, 0.14),
        sideways_g=(0.08, 0.2),
        pitch_deg=(4.0, 9.0),
        roll_deg=(4.0, 10.0),
        yaw_deg=(4.0, 11.0),
        sharpness=(0.38, 0.6),
        postures_deg=(13.0,),
        pause=0.6,
        pause_s=2.0,
        pause_every_s=9.0,
        turns=True,
    ),
    "squats": Activity(
        rate_hz=(0.35, 0.6),
        vertical_g=(0.12, 0.3),
        forward_g=(0.04, 0.1),
        sideways_g=(0.01, 0.04),
        pitch_deg=(15.0, 40.0),
        roll_deg=(1.0, 4.0),
        yaw_deg=(1.0, 4.0),
        sharpness=(0.2, 0.4),
        alternate=False,
        bend=True,
        pause=0.05,
        pause_s=3.0,
        pause_every_s=14.0,
    ),
    "shaking": Activity(
        rate_hz=(2.6, 5.5),
        vertical_g=(0.2, 0.8),
        forward_g=(0.3, 1.0),
        sideways_g=(0.4, 4.5),
        pitch_deg=(3.0, 8.0),
        roll_deg=(4.0, 12.0),
        yaw_deg=(4.0, 12.0),
        sharpness=(0.05, 0.2),
        alternate=False,
        postures_deg=(-30.0, 0.0, 40.0),
        pause=0.15,
        pause_s=1.5,
        pause_every_s=12.0,
    ),
}
"""What the persons do, by label."""


@dataclass(frozen=True)
class _Style:
    """How one person does one activity: the drawn numbers of Activity, and the shape of the wave.

    number: by field of Activity. theta: (N_HARMONICS,) rad. forward_theta: rad.
    """

    number: dict[str, float]
    theta: np.ndarray
    forward_theta: float


@dataclass(frozen=True)
class _Person:
    styles: dict[str, _Style]
    wear_rad: np.ndarray  # (3,) roll, pitch, yaw of the sensor on the body


def make(
    subjects: int = N_SUBJECTS, minutes: float = MINUTES, rate_hz: float = RATE_HZ, seed: int = 0
) -> list[RawRecording]:
    """Return the recordings of `subjects` persons, `minutes` each, in two recordings a person (one if too
    short).

    Acceleration and angular rate at `rate_hz`, on the grid of a sensor of 4 g and 500 dps. Every recording
    holds every activity, in an order of its own. The recordings of a person depend on nothing but `seed`,
    its number, `minutes` and `rate_hz`, so more persons leave the first ones as they were.

    Raises EmlearnError for numbers outside of what the model can do.
    """
    shortest = len(ACTIVITIES) * (MIN_BOUT_S + TRANSITION_S) / 60
    if not 1 <= subjects <= 999:
        raise EmlearnError(f"{subjects} subjects", hint="1 to 999")
    if not shortest <= minutes <= 600:
        raise EmlearnError(
            f"{minutes:g} minutes a person", hint=f"{shortest:g} (every activity once) to 600 minutes"
        )
    if not 20 <= rate_hz <= 1000:
        raise EmlearnError(f"a rate of {rate_hz:g} Hz", hint="20 to 1000 Hz; shakes come at up to 6 Hz")
    if not 0 <= seed < 2**32:
        raise EmlearnError(f"the seed {seed}", hint="0 to 4294967295")
    n_recordings = 2 if minutes >= 2 * shortest else 1
    recordings = []
    for subject in range(1, subjects + 1):
        person = _draw_person(np.random.RandomState([seed, subject, 0]))
        for number in range(1, n_recordings + 1):
            rng = np.random.RandomState([seed, subject, number])
            values, labels = _record(person, 60 * minutes / n_recordings, rate_hz, rng)
            name = f"synth_p{subject:02d}_r{number}.csv"
            recordings.append(
                RawRecording(
                    name=name,
                    subject=f"p{subject:02d}",
                    recording=f"r{number}",
                    rate_hz=float(rate_hz),
                    channels=tuple(f"{sensor}_{axis}" for sensor in ("acc", "gyro") for axis in "xyz"),
                    values=values,
                    spans=spans_of(labels),
                    gaps=(),
                    source=Path(name),
                )
            )
    return recordings


def write(recordings: Sequence[RawRecording], folder: Path) -> list[Path]:
    """Write recordings of make() as CSV files with an index.csv; return the files. All appear or none.

    Raises EmlearnError if the folder holds other CSV files, which would be read as recordings too, or
    cannot be written.
    """
    folder = Path(folder)
    names = {raw.name for raw in recordings} | {table.INDEX_NAME}
    others = sorted(path.name for path in folder.glob("*.csv") if path.name not in names)
    if others:
        raise EmlearnError(f"holds other recordings, as {others[0]}", folder, "choose an empty folder")
    texts = {folder / raw.name: csv_table.text_of_recording(raw) for raw in recordings}
    texts[folder / table.INDEX_NAME] = table.index_text(recordings, dataset="synth", device="kinematic model")
    write_texts(texts)
    return list(texts)


def _between(low_high: tuple[float, float], rng: np.random.RandomState) -> float:
    low, high = low_high
    return low + (high - low) * (rng.random_sample() + rng.random_sample()) / 2


def _draw_person(rng: np.random.RandomState) -> _Person:
    styles = {}
    for label, activity in ACTIVITIES.items():
        ranges = {key: value for key, value in vars(activity).items() if key.endswith(("_hz", "_g"))}
        ranges |= {key: getattr(activity, key) for key in ("pitch_deg", "roll_deg", "yaw_deg", "sharpness")}
        styles[label] = _Style(
            number={key: _between(value, rng) for key, value in ranges.items()},
            theta=np.concatenate(([0.0], rng.normal(0.0, 0.7, N_HARMONICS - 1))),
            forward_theta=float(rng.normal(1.5, 0.4)),
        )
    return _Person(styles, np.radians(rng.normal(0.0, 9.0, 3)))


def _record(
    person: _Person, duration_s: float, rate_hz: float, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return values (n, 6) in g and dps, and labels (n,), of one recording."""
    n = round(duration_s * rate_hz)
    acc = np.zeros((n, 3))  # forward, left, up, without gravity
    turn = np.zeros((n, 3))  # roll, pitch, yaw of the movement, rad
    heading = np.zeros(n)
    labels = np.full(n, "unlabeled", dtype="U16")
    posture = 0.0
    n_transition = round(TRANSITION_S * rate_hz)
    for label, start, stop in _plan(n, rate_hz, rng):
        activity = ACTIVITIES[label]
        middle = min(start + n_transition, stop)
        target = np.radians(
            activity.postures_deg[rng.randint(len(activity.postures_deg))] + rng.normal(0.0, 3.0)
        )
        turn[start:middle, 1] = posture + (target - posture) * _smooth_step(middle - start)
        turn[middle:stop, 1] = target
        posture = target
        labels[middle:stop] = label
        strength, turned = _pauses(activity, stop - middle, rate_hz, rng)
        a, t = _movement(activity, person.styles[label], strength, rate_hz, rng)
        acc[middle:stop] += a
        turn[middle:stop] += t
        heading[middle:] += turned[-1]
        heading[middle:stop] += turned - turned[-1]
    wear = person.wear_rad + np.radians(rng.normal(0.0, 5.0, 3))
    return _sense(acc, turn, heading, wear, rate_hz, rng), labels


def _plan(n: int, rate_hz: float, rng: np.random.RandomState) -> list[tuple[str, int, int]]:
    """Return bouts (label, start, stop) that fill n frames: rounds of all activities, each in a new order."""
    names = sorted(ACTIVITIES)
    rounds = max(1, round(n / rate_hz / (len(names) * (BOUT_S + TRANSITION_S))))
    order = [names[i] for _ in range(rounds) for i in rng.permutation(len(names))]
    spare = n / rate_hz - len(order) * (MIN_BOUT_S + TRANSITION_S)
    share = rng.uniform(0.7, 1.3, len(order))
    ends = np.cumsum(MIN_BOUT_S + TRANSITION_S + max(spare, 0.0) * share / share.sum())
    edges = [0, *np.round(ends * rate_hz).astype(int)[:-1].tolist(), n]
    return list(zip(order, edges[:-1], edges[1:], strict=True))


def _pauses(
    activity: Activity, n: int, rate_hz: float, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return strength (n,), 1 in full movement and rising from 0 at the ends, and heading (n,) in rad."""
    strength, heading = np.ones(n), np.zeros(n)
    if activity.pause_s:
        at = activity.pause_every_s * rng.uniform(0.3, 1.0)
        while True:
            length = activity.pause_s * rng.uniform(0.6, 1.4)
            start, stop = round(at * rate_hz), round((at + length) * rate_hz)
            if stop >= n:
                break
            edge = min(round(0.3 * rate_hz), (stop - start) // 2)
            down = np.ones(stop - start)
            down[:edge] = _smooth_step(edge)
            down[len(down) - edge :] = _smooth_step(edge)[::-1]
            strength[start:stop] += (activity.pause * rng.uniform(0.5, 1.5) - 1.0) * down
            if activity.turns:
                angle = rng.choice([-np.pi, np.pi]) * rng.uniform(0.5, 1.0)
                heading[start:stop] += angle * _smooth_step(stop - start)
                heading[stop:] += angle
            at += length + activity.pause_every_s * rng.uniform(0.7, 1.3)
    edge = min(round(0.6 * rate_hz), n // 2)
    strength[:edge] *= _smooth_step(edge)
    strength[n - edge :] *= _smooth_step(edge)[::-1]
    return strength, heading


def _movement(
    activity: Activity, style: _Style, strength: np.ndarray, rate_hz: float, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return acceleration (n, 3) in g, and roll, pitch, yaw (n, 3) in rad, of one bout without its
    posture."""
    n = len(strength)
    number = {key: value * np.exp(rng.normal(0.0, 0.08)) for key, value in style.number.items()}
    rate = number["rate_hz"] * np.exp(0.04 * _wander(n, rate_hz, rng))
    p = rng.uniform(0.0, 2 * np.pi) + 2 * np.pi * np.cumsum(rate) / rate_hz
    q = p / 2 if activity.alternate else p
    strength = strength * np.exp(0.15 * _wander(n, rate_hz, rng))
    order = np.arange(1, N_HARMONICS + 1)
    heard = (order == 1) | (order * number["rate_hz"] < 0.45 * rate_hz)
    weight = number["sharpness"] ** (order - 1.0) * heard
    weight /= np.sqrt((weight**2).sum())

    def wave(theta: float) -> np.ndarray:
        return (weight * np.cos(np.outer(p + theta, order) + style.theta)).sum(axis=1)

    acc = np.stack(
        [
            number["forward_g"] * wave(style.forward_theta),
            number["sideways_g"] * np.sin(q),
            number["vertical_g"] * wave(0.0),
        ],
        axis=1,
    )
    nod = (1.0 - np.cos(p)) / 2 if activity.bend else np.sin(p)
    turn = np.radians(
        np.stack(
            [number["roll_deg"] * np.sin(q), number["pitch_deg"] * nod, number["yaw_deg"] * np.cos(q)], axis=1
        )
    )
    return acc * strength[:, None], turn * np.minimum(strength, 3.0)[:, None]


def _sense(
    acc: np.ndarray,
    turn: np.ndarray,
    heading: np.ndarray,
    wear_rad: np.ndarray,
    rate_hz: float,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return what the sensor gives, (n, 6) in g and dps, for a movement of the body."""
    roll, pitch, yaw = turn.T
    force = np.einsum("nji,nj->ni", _rotation(roll, pitch, yaw), acc + [0.0, 0.0, 1.0])
    d_roll, d_pitch, d_yaw = (np.gradient(angle) * rate_hz for angle in (roll, pitch, yaw + heading))
    rate = np.stack(
        [
            d_roll - d_yaw * np.sin(pitch),
            d_pitch * np.cos(roll) + d_yaw * np.sin(roll) * np.cos(pitch),
            -d_pitch * np.sin(roll) + d_yaw * np.cos(roll) * np.cos(pitch),
        ],
        axis=1,
    )
    wear = _rotation(*wear_rad[:, None])[0]
    sensors = (
        (force @ wear, ACC_BIAS_G, ACC_NOISE_G, ACC_RANGE_G),
        (np.degrees(rate) @ wear, GYRO_BIAS_DPS, GYRO_NOISE_DPS, GYRO_RANGE_DPS),
    )
    values = []
    for true, bias, noise, full_scale in sensors:
        felt = true * (1 + rng.normal(0.0, SCALE_ERROR, 3)) + rng.normal(0.0, bias, 3)
        felt += rng.normal(0.0, noise, true.shape)
        step = full_scale / 32768
        values.append(np.clip(np.floor(felt / step + 0.5), -32768, 32767) * step)
    return np.concatenate(values, axis=1)


def _rotation(roll: np.ndarray, pitch: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Return Rz(yaw) Ry(pitch) Rx(roll), (n, 3, 3), from the body to the frame whose z is up."""
    (cr, sr), (cp, sp), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in (roll, pitch, yaw))
    rows = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def _wander(n: int, rate_hz: float, rng: np.random.RandomState) -> np.ndarray:
    """Return (n,) of slow noise: standard normal once a second, straight lines between."""
    seconds = np.arange(n) / rate_hz
    knots = rng.normal(0.0, 1.0, int(n / rate_hz) + 2)
    return np.interp(seconds, np.arange(len(knots)), knots)


def _smooth_step(n: int) -> np.ndarray:
    """Return (n,) rising from 0 to 1 along half a cosine."""
    return (1 - np.cos(np.pi * (np.arange(n) + 0.5) / max(n, 1))) / 2
