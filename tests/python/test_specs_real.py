# SPDX-License-Identifier: Apache-2.0
"""What the committed specs reach on the public data sets they are for.

Runs in `make soak`, where EMLEARN_DATA names a folder with the sets, one folder each, in the common CSV form
(docs/format.md). Five seeds of five grouped folds each; minutes a set.
"""

import os
from pathlib import Path

import pytest
from emlearn_tools import jobs, recording, train
from emlearn_tools.spec import load_spec

ROOT = Path(__file__).resolve().parents[2]
LEAF_STEP = 1 / 255

AT_LEAST = {
    "hapt_acc_gyro": ("hapt", 0.89),
    "hapt_acc": ("hapt", 0.84),
    "sp_sw_har_watch": ("sp_sw_har", 0.82),
    "wisdm4_acc": ("wisdm4", 0.76),
    "exercise_acc": ("exercise", 0.88),
}
"""Spec -> folder of its data, and macro-F1 per window before smoothing, mean over five seeds."""


@pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "soak", reason="takes minutes: make soak")
@pytest.mark.parametrize("name", AT_LEAST)
def test_a_committed_spec_reaches_its_score_on_people_it_never_saw(name):
    folder, at_least = AT_LEAST[name]
    data = Path(os.environ.get("EMLEARN_DATA", "")) / folder
    if not os.environ.get("EMLEARN_DATA") or not data.is_dir():
        pytest.skip(f"EMLEARN_DATA has no {folder}")
    spec = load_spec(ROOT / "specs" / f"{name}.yaml")
    report = train.train(recording.load([data]), spec, n_seeds=5, n_jobs=jobs.default_jobs()).report
    cv = report["cv"]
    assert cv["macro_f1"]["mean"] >= at_least
    assert len(cv["folds"]) == 25
    assert all(fold["params"]["n_estimators"] <= 10 for fold in cv["folds"])
    assert cv["quantisation"]["per_mille"] <= 1
    assert all(margin < LEAF_STEP for margin in cv["quantisation"]["margins"])
    assert report["constant"] == [] and report["saturated"] == []
