# SPDX-License-Identifier: Apache-2.0
"""The package under test is the one in this checkout."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "west_commands"))
