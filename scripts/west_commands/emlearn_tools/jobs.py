# SPDX-License-Identifier: Apache-2.0
"""Many independent calls, some at once, with progress; results come in the order of the calls."""

import os
from collections.abc import Callable, Sequence
from typing import Any

Task = tuple[Any, ...]
"""A function of a module and its arguments."""

Advance = Callable[[str, int, int], None]
"""Called with (stage, tasks done, tasks in all)."""


def default_jobs() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Runner:
    """Runs tasks in n_jobs processes (1: in this one). The results are the same for any n_jobs.

    There are never more processes than tasks, nor than twice the processors: more would only take memory.
    """

    def __init__(self, n_jobs: int = 1, advance: Advance | None = None) -> None:
        self.n_jobs = min(n_jobs, 2 * default_jobs())
        self.advance = advance

    def run(self, stage: str, tasks: Sequence[Task]) -> list[Any]:
        """The result of every task, in order. An exception of a task is raised here."""
        results = []
        for result in self._results(tasks):
            results.append(result)
            if self.advance:
                self.advance(stage, len(results), len(tasks))
        return results

    def _results(self, tasks: Sequence[Task]):
        if self.n_jobs == 1 or len(tasks) < 2:
            return (task[0](*task[1:]) for task in tasks)
        from joblib import Parallel, delayed

        n_jobs = min(self.n_jobs, len(tasks))
        parallel = Parallel(n_jobs=n_jobs, backend="loky", return_as="generator")
        return parallel(delayed(task[0])(*task[1:]) for task in tasks)
