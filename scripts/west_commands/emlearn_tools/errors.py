# SPDX-License-Identifier: Apache-2.0
"""The one error that a user sees: what is wrong, where, and what to try."""


class EmlearnError(Exception):
    """Bad input or a missing tool; the command line prints it as it is and exits with 1.

    what: one clause, lower case, naming the thing. where: file, line, key or recording. hint: what to try.
    """

    def __init__(self, what: str, where: object = "", hint: str = "") -> None:
        self.what = what
        self.where = str(where)
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  try: {self.hint}" if self.hint else text
