# SPDX-License-Identifier: Apache-2.0
"""Estimates of bytes and instructions: against the headers, against hand counts, and how prices add up."""

from dataclasses import replace
from fractions import Fraction

import pytest
from arm_build import arm_gcc, needs_arm_gcc
from emlearn_tools import cost
from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import IDENTITY_MOUNT, PipelineSpec
from emlearn_tools.trees_layout import LEAF, TreesLayout

# A root that decides between a leaf and a second decision; a second tree that is one leaf.
LAYOUT = TreesLayout(
    nodes=((100, 0, LEAF | 0, 1), (-5, 1, LEAF | 1, LEAF | 0)),
    roots=(0, LEAF | 1),
    leaves=bytes([255, 0, 0, 55, 100, 100]),
    n_features=2,
    n_classes=3,
    vote=0,
)

SPEC = PipelineSpec(
    sensors=("acc",),
    acc_step=Fraction(1, 4096),
    gyro_step=None,
    mount=IDENTITY_MOUNT,
    rate_hz=Fraction(50),
    rate_tolerance=0.05,
    window_len=128,
    hop_len=50,
    gravity=(),
    warmup_frames=0,
    features=("acc_x.mean", "acc_mag.std"),
    smooth=(5, 2, 0),
)


def test_bytes_are_those_of_the_hand_count():
    assert cost.model_bytes(LAYOUT) == 2 * 8 + 2 * 2 + 6 + 2 * 2 + 20


@needs_arm_gcc
def test_bytes_agree_with_the_structures_of_the_headers(tmp_path):
    source = tmp_path / "sizes.c"
    source.write_text(
        "#include <emlearn/trees.h>\n"
        "#define IS(type, size) _Static_assert(sizeof(type) == (size), #type)\n"
        f"IS(struct emlearn_trees_node, {cost.NODE_BYTES});\n"
        f"IS(((struct emlearn_trees *)0)->roots[0], {cost.ROOT_BYTES});\n"
        f"IS(struct emlearn_trees, {cost.TREES_BYTES});\n"
    )
    arm_gcc("-std=c11", "-c", source, "-o", tmp_path / "sizes.o")


def test_mean_depth_weighs_both_ways_of_a_decision_equally():
    # First tree: 1 decision half of the time, 2 the other half; second tree: none.
    assert cost.mean_depth(LAYOUT) == pytest.approx((1.5 + 0) / 2)


def test_a_window_costs_its_parts():
    parts = (
        50 * cost.frame_instructions(3)
        + cost.feature_instructions(SPEC.features, 128)
        + cost.tree_instructions(LAYOUT)
        + cost.smooth_instructions(5)
    )
    assert cost.window_instructions(SPEC, LAYOUT) == pytest.approx(parts, abs=50)


@pytest.mark.parametrize("core", cost.PRICES)
def test_more_work_costs_more(core):
    def window(layout=LAYOUT, depth=None, **changes):
        return cost.window_instructions(replace(SPEC, **changes), layout, depth, core)

    base = window()
    assert window(hop_len=100) > base
    assert window(window_len=256) > base
    assert window(gravity=((1, 2, 3, 4, 5),)) > base
    assert window(smooth=(11, 2, 0)) > base
    assert window(features=("acc_x.mean", "acc_mag.std", "acc_mag.median")) > base
    assert window(depth=8) > base
    assert window(replace(LAYOUT, roots=(0, 0, 0))) > base
    assert window(replace(LAYOUT, vote=1)) < base


def test_a_stream_is_paid_once_however_many_of_its_statistics_are_used():
    one = cost.feature_instructions(["acc_x.median"], 128)
    assert cost.feature_instructions(["acc_x.median", "acc_x.q25", "acc_x.iqr"], 128) < one + 100
    assert cost.feature_instructions(["acc_x.median", "acc_y.median"], 128) > 2 * one - 100


def test_streams_cost_what_it_takes_to_make_them():
    row, motion, mag, motion_mag = (
        cost.feature_instructions([f"{stream}.min"], 128)
        for stream in ("gyro_z", "motion_x", "gyro_mag", "motion_mag")
    )
    assert row == cost.feature_instructions(["gravity_y.min"], 128)
    assert row < motion < mag < motion_mag
    assert cost.feature_instructions(["gyro_xy.corr"], 128) < cost.feature_instructions(
        ["motion_xy.corr"], 128
    )


def test_every_feature_of_the_library_has_a_price():
    from emlearn_tools import native

    assert all(cost.feature_instructions([name], 64) > 64 for name in native.feature_names())


@pytest.mark.parametrize(
    "feature", ["acc_w.mean", "acc_x.corr", "acc_xy.mean", "baro.mean", "acc_x.variance", "acc_x"]
)
def test_a_feature_that_there_is_not_is_an_error(feature):
    with pytest.raises(EmlearnError, match="no (feature|stream)"):
        cost.feature_instructions([feature], 128)


def test_an_unknown_core_is_an_error():
    with pytest.raises(EmlearnError, match="cortex-m55"):
        cost.frame_instructions(3, core="cortex-m55")
