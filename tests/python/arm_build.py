# SPDX-License-Identifier: Apache-2.0
"""Compile for Arm Cortex-M in a test, where the compiler is installed. Not a test file."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GCC = "arm-none-eabi-gcc"

needs_arm_gcc = pytest.mark.skipif(shutil.which(GCC) is None, reason=f"{GCC} is not installed")


def arm_gcc(*arguments: object, cpu: str = "cortex-m0") -> None:
    """Run the compiler with the library's headers on the path; fails the test with what it says."""
    command = [GCC, f"-mcpu={cpu}", "-mthumb", "-I", str(ROOT / "include"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
