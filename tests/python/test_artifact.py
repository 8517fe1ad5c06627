# SPDX-License-Identifier: Apache-2.0
"""artifact: model.json comes back as it was written, and nothing else is read."""

import hashlib
import json
from dataclasses import replace

import pytest
from emlearn_tools import artifact
from emlearn_tools.artifact import Golden, GoldenWindow
from emlearn_tools.errors import EmlearnError
from emlearn_tools.spec import LabelRules
from hypothesis import example, given, settings
from hypothesis import strategies as st
from model_cases import FOREST, LOW_PASS, MODEL, SPEC, forests, with_forest

TEXT = artifact.dumps(MODEL)
DATA = json.loads(TEXT)


def canonical_digest(data: dict) -> str:
    """The digest by its definition in docs/format.md."""
    rest = {key: value for key, value in data.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def sealed(data: dict) -> str:
    """A file with the right digest, whatever it holds."""
    return json.dumps({**data, "digest": canonical_digest(data)})


def changed(path: str, value: object) -> dict:
    """DATA with one value replaced; path as in "golden/windows/0/1"."""
    data = json.loads(TEXT)
    at = data
    *parents, last = (int(key) if key.isdigit() else key for key in path.split("/"))
    for key in parents:
        at = at[key]
    at[last] = value
    return data


def without(path: str) -> dict:
    """DATA without one key."""
    data = json.loads(TEXT)
    at = data
    *parents, last = (int(key) if key.isdigit() else key for key in path.split("/"))
    for key in parents:
        at = at[key]
    del at[last]
    return data


def test_a_saved_model_comes_back_equal(tmp_path):
    path = tmp_path / "har.json"
    artifact.save(MODEL, path)
    assert artifact.load(path) == MODEL
    assert path.read_text(encoding="utf-8") == TEXT
    assert TEXT.isascii() and TEXT.endswith("}\n")


def test_the_digest_is_the_sha256_of_the_canonical_json():
    assert DATA["digest"] == canonical_digest(DATA) == MODEL.digest
    assert MODEL.digest32 == int(DATA["digest"][:8], 16)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aä\n\"'\\"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def models(draw):
    forest = draw(forests())
    n_classes = forest.n_classes
    window = st.builds(
        GoldenWindow, st.integers(0, 2**32 - 1), st.integers(0, n_classes - 1), st.integers(0, n_classes - 1)
    )
    base = with_forest(forest)
    return replace(
        base,
        name=draw(st.text("aB ä-", min_size=1, max_size=9)),
        spec=replace(
            base.spec,
            window_len=draw(st.integers(1, 32767)),
            hop_len=draw(st.integers(1, 65535)),
            warmup_frames=draw(st.integers(0, 65535)),
            gravity=draw(st.sampled_from(((), LOW_PASS, LOW_PASS * 2))),
        ),
        metrics=draw(st.dictionaries(st.text("ab"), JSON_VALUES, max_size=3)),
        provenance=draw(st.dictionaries(st.text("ab"), JSON_VALUES, max_size=3)),
        golden=Golden(draw(st.integers(0, 2**32 - 1)), tuple(draw(st.lists(window, max_size=3)))),
        labels=LabelRules(
            keep=tuple(draw(st.lists(st.text(), max_size=2))),
            merge={"new": tuple(draw(st.lists(st.text(), max_size=2)))},
        ),
        label_join=draw(st.sampled_from(("pure", "majority"))),
    )


@given(models())
def test_every_model_comes_back_equal_and_as_the_same_text(model):
    text = artifact.dumps(model)
    back = artifact.loads(text, "model.json")
    assert back == model
    assert artifact.dumps(back) == text
    assert back.digest == model.digest


@settings(max_examples=300)
@given(st.integers(0, len(TEXT) * 8 - 1))
@example(0)
@example(len(TEXT) * 8 - 1)
def test_a_flipped_bit_is_refused_unless_it_changes_white_space_only(position):
    damaged = bytearray(TEXT.encode())
    damaged[position // 8] ^= 1 << position % 8
    try:
        text = damaged.decode("utf-8")
    except UnicodeDecodeError:
        return  # load() refuses it; see the test of a file that is not UTF-8
    try:
        model = artifact.loads(text, "model.json")
    except EmlearnError as error:
        assert error.hint
    else:
        assert json.loads(text) == DATA and model == MODEL


@given(st.integers(0, len(TEXT) - 3))
def test_a_truncated_file_is_refused(length):
    with pytest.raises(EmlearnError, match="truncated or not JSON") as caught:
        artifact.loads(TEXT[:length], "har.json")
    assert caught.value.where == "har.json" and "train again" in caught.value.hint


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("classes/0", "running"),
        ("forest/trees/0/threshold/0", -499),
        ("spec/window_len", 64),
        ("metrics/macro_f1", 0.99),
        ("golden/seed", 2),
        ("labels/join", "pure"),
        ("digest", "0" * 64),
        ("digest", DATA["digest"].upper()),
        ("digest", None),
        ("extra", 1),
    ],
)
def test_a_file_edited_by_hand_is_refused(path, value):
    with pytest.raises(EmlearnError, match="changed or damaged after training") as caught:
        artifact.loads(json.dumps(changed(path, value)), "har.json")
    assert "not edited by hand" in caught.value.hint


def test_a_file_without_digest_is_refused():
    with pytest.raises(EmlearnError, match="changed or damaged"):
        artifact.loads(json.dumps(without("digest")), "har.json")


def test_white_space_may_change():
    assert artifact.loads(json.dumps(DATA, indent=4), "har.json") == MODEL
    assert artifact.loads(TEXT.replace("\n", "\r\n"), "har.json") == MODEL


@pytest.mark.parametrize("number", [2, 3, 2**31])
def test_a_future_format_is_refused_with_the_advice_to_update(number):
    with pytest.raises(EmlearnError, match=f"format {number} is newer than these tools") as caught:
        artifact.loads(sealed(changed("format", number)), "har.json")
    assert "update emlearn" in caught.value.hint


@pytest.mark.parametrize("number", [0, -1, "1", 1.0, True, None, 2**40])
def test_a_format_that_never_was_is_refused(number):
    with pytest.raises(EmlearnError, match="not a model.json"):
        artifact.loads(sealed(changed("format", number)), "har.json")


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "{}", '{"format": 1}', '{"forest": {}}', "null"])
def test_other_json_is_refused(text):
    with pytest.raises(EmlearnError, match="not a model.json"):
        artifact.loads(text, "x.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "truncated"),
        ('{"format":1,"format":1}', "a key stands twice"),
        ('{"format":1,"forest":NaN}', "NaN is not JSON"),
        ('{"format":1,"forest":Infinity}', "Infinity is not JSON"),
        ("[" * 100_000, "truncated or not JSON"),
        ('{"format":' + "1" * 10_000 + "}", "truncated or not JSON"),
        ('{"format":1,"forest":1e400}', "no model holds this"),
    ],
)
def test_what_is_not_plain_json_is_refused(text, reason):
    with pytest.raises(EmlearnError, match=reason):
        artifact.loads(text, "x.json")


@pytest.mark.parametrize("depth", [100, 300, 900, 990, 1000, 3000, 50_000])
def test_no_depth_of_nesting_gives_anything_but_a_clear_error(depth):
    with pytest.raises(EmlearnError, match=r"^x\.json: "):
        artifact.loads('{"format":1,"forest":' + "[" * depth + "]" * depth + "}", "x.json")


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(EmlearnError, match="cannot read it"):
        artifact.load(tmp_path / "none.json")
    with pytest.raises(EmlearnError, match="cannot read it"):
        artifact.load(tmp_path)
    (tmp_path / "x.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(EmlearnError, match="not UTF-8"):
        artifact.load(tmp_path / "x.json")


@pytest.mark.parametrize("path", ["name", "classes", "spec", "labels", "metrics", "provenance", "golden"])
def test_a_missing_key_is_refused_by_name(path):
    with pytest.raises(EmlearnError, match=f"key '{path}' is missing"):
        artifact.loads(sealed(without(path)), "har.json")


@pytest.mark.parametrize(
    "path",
    ["spec/hop_len", "labels/join", "golden/seed", "forest/vote", "forest/leaves", "forest/trees/1/root"],
)
def test_a_missing_key_further_in_is_refused_by_name(path):
    with pytest.raises(EmlearnError, match=f"key '{path.split('/')[-1]}' is missing"):
        artifact.loads(sealed(without(path)), "har.json")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("extra", 1, "unknown key 'extra'"),
        ("name", "", "the name is not"),
        ("name", "a\n", "the name is not"),
        ("name", "a" * 101, "the name is not"),
        ("name", 3, "the name is not"),
        ("classes", [], "0 classes"),
        ("classes", [f"c{i}" for i in range(256)], "256 classes"),
        ("classes", "walking", "not a list"),
        ("classes/0", 1, "not a list of texts"),
        ("classes/0", "LÄUFT", "both L_UFT"),
        ("spec", [], "not a mapping"),
        ("spec/hop_len", 0, "hop_len"),
        ("spec/extra", 0, "unknown key 'extra'"),
        ("spec/features/0", "acc_x", "no feature name"),
        ("spec/features/0", 'acc_x.mean), "', "no feature name"),
        ("labels", None, "not an object"),
        ("labels/join", "any", "join is not one of"),
        ("labels/merge", [], "merge is not an object"),
        ("labels/merge/x", "y", "not a list"),
        ("labels/keep", ["a", 1], "not a list of texts"),
        ("metrics", [], "metrics is not an object"),
        ("provenance", "x", "provenance is not an object"),
        ("golden/seed", 2**32, "out of range"),
        ("golden/seed", True, "out of range"),
        ("golden/windows", [[0, 0, 0]] * 65536, "out of range"),
        ("golden/windows/0", [1, 2], "a window is not"),
        ("golden/windows/0", 3, "not a list"),
        ("golden/windows/0/0", 2**32, "a window is not"),
        ("golden/windows/0/1", 3, "a window is not"),
        ("golden/windows/0/2", -1, "a window is not"),
        ("forest", [], "not an object"),
        ("forest/vote", "firm", "vote is not one of"),
        ("forest/leaves", {}, "not a list"),
        ("forest/leaves/0", [255, 0], "weights are not 3 numbers"),
        ("forest/leaves/0", [254, 0, 0], "weights are not 3 numbers"),
        ("forest/leaves/0", [256, -1, 0], "not a whole number from 0 to 255"),
        ("forest/leaves/0", [255.0, 0, 0], "not a whole number"),
        ("forest/trees", [], "0 trees"),
        ("forest/trees/0", [], "not an object"),
        ("forest/trees/0/feature/0", 3, "whole number from 0 to 2"),
        ("forest/trees/0/feature/0", -1, "whole number from 0 to 2"),
        ("forest/trees/0/threshold/0", 32768, "whole number from -32768"),
        ("forest/trees/0/threshold/0", -32769, "whole number from -32768"),
        ("forest/trees/0/threshold", [1], "differ in length"),
        ("forest/trees/0/left", [1, -1, -1], "differ in length"),
        ("forest/trees/0/right", [-1], "differ in length"),
        ("forest/trees/0/left/0", 2, "whole number from -3 to 1"),
        ("forest/trees/0/left/1", -4, "whole number from -3 to 1"),
        ("forest/trees/0/root", 1, "not stand in depth-first order"),
        ("forest/trees/0/left/0", 0, "not stand in depth-first order"),
        ("forest/trees/0/left/1", 1, "not stand in depth-first order"),
        ("forest/trees/0/left/0", -1, "1 nodes are never reached"),
        ("forest/trees/0/root", -1, "2 nodes are never reached"),
        ("forest/trees/0/root", None, "not a whole number"),
    ],
)
def test_every_value_is_checked_even_under_a_right_digest(path, value, message):
    with pytest.raises(EmlearnError, match=message) as caught:
        artifact.loads(sealed(changed(path, value)), "har.json")
    assert caught.value.where.startswith("har.json")


def test_a_hard_leaf_is_one_class():
    data = changed("forest/vote", "hard")
    data["forest"]["leaves"] = [[0], [2], [1]]
    assert artifact.loads(sealed(data), "har.json").forest.leaves == ((0,), (2,), (1,))
    for leaf, message in (
        ([0, 1], "not one class index"),
        ([3], "whole number from 0 to 2"),
        ([], "not one class"),
    ):
        data["forest"]["leaves"][0] = leaf
        with pytest.raises(EmlearnError, match=message):
            artifact.loads(sealed(data), "har.json")


@given(st.sampled_from(sorted(DATA)), JSON_VALUES)
@settings(max_examples=200)
def test_no_content_under_a_right_digest_gives_anything_but_a_model_or_a_clear_error(key, value):
    text = sealed(changed(key, value))
    try:
        model = artifact.loads(text, "har.json")
    except EmlearnError:
        return
    assert artifact.loads(artifact.dumps(model), "har.json") == model


INNER_KEYS = [
    f"{part}/{key}" for part in ("spec", "labels", "golden", "forest") for key in sorted(DATA[part])
]


@given(st.sampled_from(INNER_KEYS), JSON_VALUES)
@settings(max_examples=300)
def test_no_content_further_in_gives_anything_but_a_model_or_a_clear_error(path, value):
    try:
        artifact.loads(sealed(changed(path, value)), "har.json")
    except EmlearnError as error:
        assert error.where.startswith("har.json")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (replace(MODEL, metrics={"f1": float("nan")}), "not plain JSON"),
        (replace(MODEL, provenance={"path": object()}), "not plain JSON"),
        (replace(MODEL, classes=("a", "A", "b")), "both A in C"),
        (replace(MODEL, classes=("a", "b")), "weights are not 2 numbers"),
        (replace(MODEL, spec=replace(SPEC, hop_len=0)), "hop_len"),
        (replace(MODEL, forest=replace(FOREST, leaves=FOREST.leaves[:2])), "whole number from -2"),
    ],
)
def test_a_model_that_could_not_be_read_back_is_not_written(tmp_path, model, message):
    (tmp_path / "har.json").write_text("old")
    with pytest.raises(EmlearnError, match=message):
        artifact.save(model, tmp_path / "har.json")
    assert (tmp_path / "har.json").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1
