# SPDX-License-Identifier: Apache-2.0
"""`python -m emlearn_tools SUB ...`, the same as `west emlearn SUB ...`."""

import sys

from emlearn_tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
