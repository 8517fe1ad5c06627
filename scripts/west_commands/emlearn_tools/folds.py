# SPDX-License-Identifier: Apache-2.0
"""Splits of windows into folds: by group, so that nobody is in training and test at once, and at random."""

import warnings
from typing import Any

import numpy as np

from emlearn_tools.errors import EmlearnError

Split = tuple[np.ndarray, np.ndarray]
"""Row numbers to train on and to test on, ascending."""


def derived_seed(*numbers: int) -> int:
    """A seed below 2^32 that depends on all of `numbers` (each 0 or more) and on nothing else."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def grouped(
    y: np.ndarray, group: np.ndarray, n_folds: int, seed: int, what: str, where: object
) -> list[Split]:
    """n_folds splits in which every group is tested once, classes balanced as far as groups allow.

    y, group: (k,) class and group numbers. what: "subject" or "recording", for messages.
    Raises EmlearnError if there are fewer groups than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_groups = len(np.unique(group))
    if n_groups < n_folds:
        plural = "" if n_groups == 1 else "s"
        raise EmlearnError(
            f"{n_groups} {what}{plural} cannot be split into {n_folds} folds",
            where,
            f"record more {what}s, or fewer folds"
            + ("; or cv: {group: recording}" if what == "subject" else ""),
        )
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return _split(splitter, y, group, where)


def random(y: np.ndarray, n_folds: int, seed: int, where: object) -> list[Split]:
    """n_folds splits of single windows, classes balanced: what a careless evaluation does."""
    from sklearn.model_selection import StratifiedKFold

    return _split(StratifiedKFold(n_folds, shuffle=True, random_state=seed), y, None, where)


def _split(splitter: Any, y: np.ndarray, group: np.ndarray | None, where: object) -> list[Split]:
    """All splits with rows on both sides; scikit-learn's warnings about rare classes are the caller's to
    give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            splits = list(splitter.split(np.zeros((len(y), 1)), y, group))
        except ValueError as error:
            raise EmlearnError(
                f"too few windows to split ({error})", where, "record more, or fewer folds"
            ) from error
    return [(train, test) for train, test in splits if len(train) and len(test)]
