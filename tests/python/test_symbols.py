# SPDX-License-Identifier: Apache-2.0
"""What the library and a generated model need from elsewhere, and how much stack they take on a target."""

import re
import subprocess
from pathlib import Path

import pytest
from arm_build import ROOT, arm_gcc, needs_arm_gcc
from emlearn_tools import emit_c
from model_cases import FOREST, with_forest

pytestmark = needs_arm_gcc

ALLOWED = re.compile(
    r"mem(cpy|set|move|cmp)|str(len|chr|cspn|cmp|ncmp)"
    # The compiler's helpers for integers: what a core without the instruction needs, and tables of a switch.
    r"|__aeabi_(u?idiv|u?idivmod|u?ldivmod|lmul|llsl|llsr|lasr)|__gnu_thumb1_case_(u?qi|u?hi|si)|__clzsi2"
)

STACK_MOST = 512
"""Bytes that emlearn_features_run() and all below it may take (include/emlearn/features.h)."""


@pytest.fixture(scope="module", params=("cortex-m0", "cortex-m3"))
def objects(request, tmp_path_factory) -> list[Path]:
    """The library and a generated model, compiled for a core."""
    folder = tmp_path_factory.mktemp(request.param)
    model = with_forest(FOREST)
    (folder / "har.h").write_text(emit_c.header(model, "har"))
    (folder / "har.c").write_text(emit_c.source(model, "har"))
    sources = [*sorted((ROOT / "src" / "core").glob("*.c")), folder / "har.c"]
    targets = [folder / f"{source.stem}.o" for source in sources]
    for source, target in zip(sources, targets, strict=True):
        arm_gcc("-std=c99", "-Os", "-fcallgraph-info=su", "-c", source, "-o", target, cpu=request.param)
    return targets


def symbols(path: Path, *flags: str) -> set[str]:
    command = ["arm-none-eabi-nm", *flags, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in done.stdout.splitlines()}


def test_nothing_but_integer_helpers_is_needed_from_elsewhere(objects):
    needed = set().union(*(symbols(path, "-u") for path in objects))
    defined = set().union(*(symbols(path, "--defined-only", "-g") for path in objects))
    assert {"emlearn_pipeline_push", "har_pipeline"} <= defined
    assert [name for name in sorted(needed - defined) if not ALLOWED.fullmatch(name)] == []


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("void *malloc(unsigned); void *f(void) { return malloc(4); }", "malloc"),
        ('int printf(const char *, ...); int f(void) { return printf("a"); }', "printf"),
        ("float f(float x) { return x * 2.5f; }", "__aeabi_fmul"),
        ("double f(int x) { return x; }", "__aeabi_i2d"),
        ("int f(float a, float b) { return a < b; }", "__aeabi_fcmplt"),
    ],
)
def test_what_must_not_be_is_seen(tmp_path, code, name):
    (tmp_path / "a.c").write_text(code)
    arm_gcc("-Os", "-fno-builtin", "-c", tmp_path / "a.c", "-o", tmp_path / "a.o")
    assert name in symbols(tmp_path / "a.o", "-u")
    assert not ALLOWED.fullmatch(name)


def call_graph(objects: list[Path]) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Stack of each function, and whom it calls, as gcc wrote them down beside the objects."""
    stack: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    for path in objects:
        text = path.with_suffix(".ci").read_text()
        for title, label in re.findall(r'node: \{ title: "([^"]+)" label: "([^"]+)"', text):
            size = re.search(r"(\d+) bytes \((\w+)", label)
            if size:
                assert size[2] == "static", f"{title} has no fixed frame"
                stack[title] = int(size[1])
        for caller, callee in re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text):
            calls.setdefault(caller, set()).add(callee)
    return stack, calls


def deepest(
    stack: dict[str, int], calls: dict[str, set[str]], way: tuple[str, ...]
) -> tuple[int, tuple[str, ...]]:
    """The way down from the last function of `way` that takes most stack; fails on recursion."""
    below: tuple[int, tuple[str, ...]] = (0, ())
    for callee in calls.get(way[-1], ()):
        assert callee not in way, f"recursion: {' -> '.join((*way, callee))}"
        below = max(below, deepest(stack, calls, (*way, callee)))
    return below[0] + stack.get(way[-1], 0), (way[-1], *below[1])


def test_the_stack_of_the_feature_stage_stays_within_what_the_header_says(objects):
    size, way = deepest(*call_graph(objects), ("emlearn_features_run",))
    assert any("quartiles" in name for name in way), "the graph does not reach the selection"
    assert size <= STACK_MOST, " -> ".join(way)


def test_no_function_of_the_library_calls_itself(objects):
    stack, calls = call_graph(objects)
    assert "emlearn_pipeline_push" in stack
    for name in stack:
        deepest(stack, calls, (name,))
