# SPDX-License-Identifier: Apache-2.0
"""Labels of windows, against a frame-by-frame reading of the rules."""

from collections import Counter

import numpy as np
import pytest
from emlearn_tools import native, segment
from emlearn_tools.errors import EmlearnError
from emlearn_tools.recording import Gap, spans_of
from emlearn_tools.segment import DROPPED_LABEL, STRADDLING, UNLABELED
from emlearn_tools.spec import LabelRules
from hypothesis import given
from hypothesis import strategies as st

RULES = LabelRules(keep=("walk", "still"), merge={"still": ("sit", "stand")})
CLASSES = ("walk", "still")


def join(labels, how="pure", window_len=4, end=None, rules=RULES, classes=CLASSES):
    end = [window_len - 1] if end is None else end
    spans = spans_of(np.array(labels))
    return segment.join(np.array(end), window_len, spans, classes, rules, how).tolist()


@pytest.mark.parametrize(
    ("labels", "pure", "majority"),
    [
        (["walk"] * 4, 0, 0),
        (["sit", "sit", "stand", "stand"], 1, 1),
        (["walk", "walk", "walk", "sit"], STRADDLING, 0),
        (["walk", "walk", "sit", "stand"], STRADDLING, 1),
        (["sit", "stand", "walk", "walk"], STRADDLING, 0),
        (["walk", "sit", "walk", "sit"], STRADDLING, 1),
        (["walk", "jump", "jump", "jump"], STRADDLING, DROPPED_LABEL),
        (["walk", "walk", "jump", "run"], STRADDLING, 0),
        (["walk", "", "unlabeled", "unlabeled"], STRADDLING, UNLABELED),
        (["jump"] * 4, DROPPED_LABEL, DROPPED_LABEL),
        (["jump", "jump", "run", "run"], DROPPED_LABEL, DROPPED_LABEL),
        (["jump", "jump", "jump", ""], DROPPED_LABEL, DROPPED_LABEL),
        (["jump", "jump", "", "unlabeled"], UNLABELED, UNLABELED),
        ([""] * 4, UNLABELED, UNLABELED),
    ],
)
def test_a_window_gets_its_class_or_a_reason(labels, pure, majority):
    assert join(labels, "pure") == [pure]
    assert join(labels, "majority") == [majority]


@given(
    labels=st.lists(st.sampled_from(["walk", "sit", "stand", "jump", "run", ""]), min_size=1, max_size=60),
    window_len=st.integers(1, 12),
    how=st.sampled_from(["pure", "majority"]),
)
def test_joining_agrees_with_reading_every_frame(labels, window_len, how):
    ends = list(range(window_len - 1, len(labels)))
    names = {"walk": "walk", "sit": "still", "stand": "still"}
    expected = []
    for end in ends:
        window = [names.get(label, label) for label in labels[end - window_len + 1 : end + 1]]
        with_class = [name for name in window if name in CLASSES]
        counts = Counter(window)
        if not with_class:
            expected.append(UNLABELED if 2 * counts[""] >= len(window) else DROPPED_LABEL)
        elif how == "pure":
            expected.append(CLASSES.index(window[0]) if len(counts) == 1 else STRADDLING)
        else:
            tied = [name for name in counts if counts[name] == max(counts.values())]
            winner = max(tied, key=lambda name: len(window) - 1 - window[::-1].index(name))
            code = UNLABELED if winner == "" else DROPPED_LABEL
            expected.append(CLASSES.index(winner) if winner in CLASSES else code)
    assert join(labels, how, window_len, ends) == expected


def test_no_windows_give_no_classes():
    assert join(["walk"], end=[]) == []


def test_an_unknown_way_to_join_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="most"):
        join(["walk"] * 4, "most")


def test_classes_follow_the_rules():
    present = ["sit", "walk", "stand", "jump", "", "unlabeled"]
    assert segment.classes_of(present, RULES) == ("walk", "still")
    assert segment.classes_of(present, LabelRules(drop=("jump",))) == ("sit", "stand", "walk")
    assert segment.classes_of(present, LabelRules(merge={"still": ("sit", "stand")})) == (
        "jump",
        "still",
        "walk",
    )


@pytest.mark.parametrize(
    ("labels", "rules", "message"),
    [
        (["walk", "sit"], LabelRules(keep=("walk", "runn")), "no recording has the label 'runn'"),
        (["walk", "run"], RULES, "no recording has the label 'still'"),
        (["walk", "run"], LabelRules(merge={"still": ("sit",)}), "no recording has any of sit"),
        (["walk", ""], LabelRules(), "1 class"),
        (["", "unlabeled"], LabelRules(), "0 class"),
        ([f"c{i}" for i in range(256)], LabelRules(), "256 classes, 255 at most"),
    ],
)
def test_rules_that_do_not_fit_the_labels_are_refused(labels, rules, message):
    with pytest.raises(EmlearnError, match=message) as caught:
        segment.classes_of(labels, rules, "spec: labels")
    assert caught.value.where == "spec: labels"


@given(
    pieces=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    window_len=st.integers(1, 20),
    hop_len=st.integers(1, 20),
)
def test_missing_windows_are_counted_as_the_pipeline_loses_them(pieces, window_len, hop_len):
    from emlearn_tools.spec import PipelineSpec

    spec = PipelineSpec(
        ("acc",),
        1,
        None,
        ((0, 1), (1, 1), (2, 1)),
        50,
        0.0,
        window_len,
        hop_len,
        (),
        0,
        ("acc_x.mean",),
        (1, 0, 0),
    )
    edges = np.cumsum(pieces)
    samples = np.zeros((int(edges[-1]), 3), np.int16)
    gaps = tuple(Gap(int(edge), 1) for edge in edges[:-1])
    with_gaps = len(native.run(spec, samples, gaps).end)
    without = len(native.run(spec, samples).end)
    missing = segment.missing_windows(len(samples), gaps, window_len, hop_len)
    assert missing == {segment.LOST_FRAMES: without - with_gaps, segment.TOO_SHORT: int(without == 0)}
