# SPDX-License-Identifier: Apache-2.0
"""Readers of recordings: the common CSV form, NPY and NPZ, and original archives of public data sets.

A path is a file, a folder or a .zip; what it holds is told from its structure:

- CSV: one file a recording, columns `time` (s), `acc_x acc_y acc_z` (g) and/or `gyro_x gyro_y gyro_z`
  (degrees/s), and mostly `label`; other columns are not read. An `index.csv` beside it names subject,
  recording and rate.
- NPY (a structured array of the same columns) and NPZ (arrays `acc`, `gyro`, `time` or `rate_hz`, `label`,
  ...).
- UCI HAPT v2.1 (RawData), UCI HAR v1.0 (Inertial Signals), WISDM 2019 (raw/phone, raw/watch).
"""

from emlearn_tools.loaders.find import absent, find
from emlearn_tools.loaders.source import Source

__all__ = ["Source", "absent", "find"]
