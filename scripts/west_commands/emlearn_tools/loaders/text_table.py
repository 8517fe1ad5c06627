# SPDX-License-Identifier: Apache-2.0
"""Tables of numbers between blanks, without a header, as the UCI archives hold them."""

import io

import numpy as np

from emlearn_tools.errors import EmlearnError
from emlearn_tools.loaders.files import Files, text_of


def read_numbers(files: Files, file_name: str, n_columns: int | None = None) -> np.ndarray:
    """Return a table of finite numbers, (n, n_columns) float64, n >= 1; any width if n_columns is None.

    Raises EmlearnError, with the line, for anything else.
    """
    text = text_of(files, file_name)
    where = files.where(file_name)
    if not text.strip():
        raise EmlearnError("is empty", where, "unpack the archive again")
    try:
        table = np.loadtxt(io.StringIO(text), ndmin=2, comments=None)
    except ValueError:
        table = None
    if table is not None and n_columns in (None, table.shape[1]) and np.isfinite(table).all():
        return table
    raise _explain(text, where, n_columns)


def _explain(text: str, where: object, n_columns: int | None) -> EmlearnError:
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        n_columns = n_columns or len(fields)
        if len(fields) != n_columns:
            return EmlearnError(
                f"{len(fields)} numbers, not {n_columns}", f"{where}:{number}", "unpack it again"
            )
        for field in fields:
            try:
                finite = np.isfinite(float(field))
            except ValueError:
                finite = False
            if not finite:
                return EmlearnError(f"{field[:40]!r} is not a finite number", f"{where}:{number}")
    return EmlearnError("cannot be read as a table of numbers", where)
