# SPDX-License-Identifier: Apache-2.0
"""The package under test is the one in this checkout; `make soak` asks for longer property tests."""

import os
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "west_commands"))

# First calls build the C library or import scikit-learn, so a deadline would judge the machine, not the code.
settings.register_profile("default", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
