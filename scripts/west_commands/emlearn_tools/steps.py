# SPDX-License-Identifier: Apache-2.0
"""What one count of a sensor is worth: steps of chips and ranges, as exact fractions of g and dps.

A chip's data sheet states its sensitivity, which is not always full scale / 32768; a recording is quantised
on the chip's own grid, so that raw registers of the chip are frames without arithmetic. Standard library
only.
"""

from fractions import Fraction

from emlearn_tools.errors import EmlearnError

SENSORS = ("acc", "gyro")
UNITS = {"acc": "g", "gyro": "dps"}

_ST_ACC = {range_g: Fraction(61 * range_g // 2, 1_000_000) for range_g in (2, 4, 8, 16)}
_ST_GYRO = {125 * 2**n: Fraction(4375 * 2**n, 1_000_000) for n in range(5)}
_TDK_ACC = {range_g: Fraction(range_g, 32768) for range_g in (2, 4, 8, 16)}
_TDK_GYRO = {
    2000: Fraction(10, 164),
    1000: Fraction(10, 328),
    500: Fraction(10, 655),
    250: Fraction(10, 1310),
}
_ICM_GYRO = _TDK_GYRO | {
    125: Fraction(10, 2620),
    Fraction("62.5"): Fraction(10, 5243),
    Fraction("31.25"): Fraction(10, 10486),
    Fraction("15.625"): Fraction(10, 20972),
}
_BOSCH_GYRO = {range_dps: Fraction(range_dps, 32768) for range_dps in (125, 250, 500, 1000, 2000)}

_ST = {"acc": _ST_ACC, "gyro": _ST_GYRO}
_ICM = {"acc": _TDK_ACC, "gyro": _ICM_GYRO}
_MPU = {"acc": _TDK_ACC, "gyro": _TDK_GYRO}
_BOSCH = {"acc": _TDK_ACC, "gyro": _BOSCH_GYRO}

CHIPS: dict[str, dict[str, dict]] = {
    "lsm6ds3tr-c": _ST,
    "lsm6dsl": _ST,
    "lsm6dso": _ST,
    "lsm6dsv16x": _ST,
    "ism330dhcx": _ST,
    "icm42605": _ICM,
    "icm42686": {
        "acc": _TDK_ACC | {32: Fraction(32, 32768)},
        "gyro": {range_dps * 2: step * 2 for range_dps, step in _ICM_GYRO.items()},
    },
    "icm42688": _ICM,
    "mpu6050": _MPU,
    "mpu6886": _MPU,
    "bmi160": _BOSCH,
    "bmi270": _BOSCH,
}
"""Chip -> sensor -> range (g or dps) -> step (g or dps a count)."""

RATES_HZ: dict[str, tuple[float, ...]] = {
    "12.5 * 2^n": (12.5, 25.0, 50.0, 100.0, 200.0, 400.0, 800.0),
    "13 * 2^n": (13.0, 26.0, 52.0, 104.0, 208.0, 416.0, 833.0),
    "15 * 2^n": (15.0, 30.0, 60.0, 120.0, 240.0, 480.0),
    "1000 / n": tuple(1000.0 / n for n in (50, 40, 20, 10, 8, 5, 4, 2)),
}
"""Sample rates that chips offer, by family: no chip has all of them, so a model must stand its neighbours."""


def step_of(sensor: str, full_scale: Fraction, chip: str | None, where: object) -> Fraction:
    """Step of `sensor` ("acc", "gyro") at a range of +-full_scale (g or dps): of `chip`, else full scale /
    32768.

    Raises EmlearnError for an unknown chip, or a range that the chip does not have.
    """
    if full_scale <= 0:
        raise EmlearnError(f"range {full_scale} is not above 0", where)
    if chip is None:
        return full_scale / 32768
    if chip not in CHIPS:
        known = ", ".join(sorted(CHIPS))
        raise EmlearnError(f"unknown chip '{chip}'", where, f"one of {known}; or give 'step' itself")
    steps = CHIPS[chip][sensor]
    if full_scale not in steps:
        known = ", ".join(f"{float(r):g}" for r in sorted(steps))
        raise EmlearnError(
            f"{chip} has no {sensor} range of {float(full_scale):g} {UNITS[sensor]}", where, known
        )
    return Fraction(steps[full_scale])
