# SPDX-License-Identifier: Apache-2.0
"""Code of the other converters for a fitted forest, in the form that is best for them.

emlearn 0.23.2 truncates thresholds to integers and compares with `<`, which sends rows to other leaves than
scikit-learn. So features are doubled and a threshold t becomes 2 floor(t) + 1; where doubled features do not
fit an int16, a threshold becomes floor(t) + 1 instead. Both reach scikit-learn's leaf on every row.

It is asked for predict alone: with predict_proba beside it inline trees have two callers and are slower.

m2cgen and tl2cgen generate doubles; they are compiled as floats, which an M4F can do in hardware.
"""

import contextlib
import copy
import importlib.metadata
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tree_data import Task
from tree_program import NotOffered, Program

ARGMAX = """\
	int32_t best = 0;
	for (int32_t i = 1; i < {n_classes}; i++) {{
		if ({scores}[i] > {scores}[best]) {{
			best = i;
		}}
	}}
	return best;
"""


@dataclass(frozen=True)
class Form:
    """A way to convert. packages: that it needs. convert: code for a task, None for a task of other
    features."""

    name: str
    packages: tuple[str, ...]
    convert: Callable[[Task], Program | None]

    def make(self, task: Task) -> Program | None:
        """Code for a task; None for a task of other features. Raises NotOffered."""
        try:
            return self.convert(task)
        except Exception as error:  # noqa: BLE001 - whatever a converter raises, the others go on
            raise NotOffered(f"{type(error).__name__} of the converter") from error

    def missing(self) -> list[str]:
        """Packages that are not installed."""
        return [name for name in self.packages if _version(name) is None]


def versions() -> dict[str, str]:
    """The packages of all forms and their versions, '' if not installed."""
    return {name: _version(name) or "" for form in FORMS for name in form.packages}


def true_thresholds(estimator: Any, factor: int) -> Any:
    """A copy for emlearn, which compares `factor * x < threshold` (factor 1 or 2) with an integer."""
    changed = copy.deepcopy(estimator)
    for tree in changed.estimators_:
        threshold = tree.tree_.threshold
        inner = tree.tree_.children_left >= 0
        threshold[inner] = factor * np.floor(threshold[inner]) + 1
    return changed


def fitting_factor(x: np.ndarray) -> int:
    """2 if doubled features fit an int16, else 1."""
    return 2 if int(np.abs(x.astype(np.int64)).max()) * 2 <= 32767 else 1


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what native code writes to standard output and standard error."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy_of in zip((1, 2), kept, strict=True):
            os.dup2(copy_of, number)
            os.close(copy_of)
        os.close(nowhere)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _plain(task: Task, sources: dict[str, str], feature: str, **more: Any) -> Program:
    """Code with `int32_t model_predict(const T *features, int32_t n_features)`, or float for a regression."""
    result = "float" if task.is_regression else "int32_t"
    return Program(
        sources=sources,
        declaration=f"{result} model_predict(const {feature} *features, int32_t n_features)",
        body="\treturn model_predict(features, BENCH_N_FEATURES);",
        empty="\t(void)features;\n\t(void)n_features;\n\treturn 0;",
        feature=feature,
        result=result,
        **more,
    )


def _emlearn(task: Task, method: str, soft: bool, dtype: str) -> Program | None:
    import emlearn

    if (dtype == "float") != task.is_float or (soft and task.is_regression):
        return None
    factor = 1 if task.is_float else fitting_factor(task.x)
    estimator = task.estimator if task.is_float else true_thresholds(task.estimator, factor)
    leaf = {"leaf_bits": 8} if soft else {}
    converted = emlearn.convert(estimator, method=method, dtype=dtype, **leaf)
    text = converted.save(name="model", include_proba=False)
    # Leaves of a regression are read as floats from an array of bytes, which faults where it is not aligned.
    text = re.sub(r"uint8_t (model_leaves\[\d+\])", r"uint8_t \1 __attribute__((aligned(4)))", text)
    include = (Path(emlearn.__file__).parent,)
    return _plain(task, {"model.c": text}, dtype, factor=factor, include=include)


def _m2cgen(task: Task) -> Program:
    import m2cgen

    text = m2cgen.export_to_c(task.estimator).replace("double", "float")
    predict = "\nint32_t model_predict(const float *features, int32_t n_features)\n{\n"
    if task.is_regression:
        predict = predict.replace("int32_t model", "float model") + "\treturn score((float *)features);\n}\n"
    else:
        n_classes = int(task.estimator.n_classes_)
        predict += f"\tfloat scores[{n_classes}];\n\tscore((float *)features, scores);\n"
        predict += ARGMAX.format(n_classes=n_classes, scores="scores") + "}\n"
    return _plain(task, {"model.c": "#include <stdint.h>\n" + text + predict}, "float")


def _micromlgen(task: Task) -> Program:
    import micromlgen

    text = micromlgen.port(task.estimator, classname="Model")
    result = "float" if task.is_regression else "int32_t"
    text = text.replace("#pragma once", "#include <stdint.h>", 1) + (
        f'\nextern "C" {result} model_predict(const float *features, int32_t n_features)\n'
        "{\n\treturn Eloquent::ML::Port::Model().predict((float *)features);\n}\n"
    )
    return _plain(task, {"model.cc": text}, "float")


def _tl2cgen(task: Task) -> Program:
    import tl2cgen
    import treelite

    with tempfile.TemporaryDirectory() as folder:
        with _quiet():
            model = treelite.sklearn.import_model(task.estimator)
            tl2cgen.generate_c_code(model, dirpath=folder, params={})
        files = {
            path.name: path.read_text().replace("double", "float") for path in Path(folder).glob("*.[ch]")
        }
    n_scores = 1 if task.is_regression else int(task.estimator.n_classes_)
    # An entry is a float or the mark of a missing value: rows of floats are rows of entries.
    scores = f"\tfloat scores[{n_scores}] = {{0}};\n\tpredict((union Entry *)features, 0, scores);\n"
    if task.is_regression:
        body, result = scores + "\treturn scores[0];\n", "float"
    else:
        body, result = scores + ARGMAX.format(n_classes=n_scores, scores="scores"), "int32_t"
    predict = f"{result} model_predict(const float *features, int32_t n_features)"
    files["model.c"] = f'#include "header.h"\n{predict}\n{{\n{body}}}\n'
    return _plain(task, files, "float")


def _emlearn_form(name: str, method: str, soft: bool = False, dtype: str = "int16_t") -> Form:
    return Form(name, ("emlearn",), lambda task: _emlearn(task, method, soft, dtype))


FORMS = (
    _emlearn_form("emlearn loadable, hard", "loadable"),
    _emlearn_form("emlearn loadable, soft 8 bit", "loadable", soft=True),
    _emlearn_form("emlearn inline, hard", "inline"),
    _emlearn_form("emlearn inline, soft 8 bit", "inline", soft=True),
    _emlearn_form("emlearn inline float, hard", "inline", dtype="float"),
    _emlearn_form("emlearn inline float, soft 8 bit", "inline", soft=True, dtype="float"),
    Form("m2cgen, float", ("m2cgen",), _m2cgen),
    Form("micromlgen, float", ("micromlgen",), _micromlgen),
    Form("tl2cgen, float", ("tl2cgen", "treelite"), _tl2cgen),
)
