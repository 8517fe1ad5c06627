# SPDX-License-Identifier: Apache-2.0
"""Optional packages: imported when they are needed, and named where they are missing."""

import importlib
from types import ModuleType

from emlearn_tools.errors import EmlearnError

EXTRA = "pip install 'emlearn-zephyr-tools[train]'"


def need(name: str, what: str, where: object = "") -> ModuleType:
    """The module `name`, such as "scipy.signal".

    Raises EmlearnError, saying that `what` needs it, if it is missing.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = {"sklearn": "scikit-learn", "yaml": "PyYAML"}.get(name.split(".")[0], name.split(".")[0])
        raise EmlearnError(f"{what} needs {package}, which is missing", where, EXTRA) from error
