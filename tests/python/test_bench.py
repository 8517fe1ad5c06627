# SPDX-License-Identifier: Apache-2.0
"""The benchmark: its bounds hold, it sees one broken, and the document says what it counts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")

needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason=f"not installed: {' or '.join(TOOLS)}"
)


@pytest.fixture(scope="module")
def bench():
    """The modules of the benchmark, which are not a package."""
    sys.path.insert(0, str(BENCH))
    try:
        import features
        import prices
        import qemu
    finally:
        sys.path.remove(str(BENCH))
    return features, prices, qemu


@pytest.fixture(scope="module")
def result() -> subprocess.CompletedProcess:
    command = [sys.executable, str(BENCH / "features.py"), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_tools
def test_the_bounds_hold(result):
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["broken"] == []
    assert {(stage["core"], stage["window_len"]) for stage in report["stages"]} == {
        (core, window_len) for core in ("cortex-m3", "cortex-m0") for window_len in (128, 400)
    }


@needs_tools
def test_the_document_says_what_is_counted(bench, result):
    features, _, _ = bench
    document = (ROOT / "docs" / "benchmark.md").read_text()
    report = json.loads(result.stdout)
    if report["compiler"] not in document:
        pytest.skip(f"docs/benchmark.md was written with another compiler than {report['compiler']}")
    stages = [features.Stage(**stage) for stage in report["stages"]]
    assert features.stage_table(stages) in document
    assert features.shape_table(stages) in document
    assert features.part_table() in document


@needs_tools
def test_counts_repeat_exactly(bench):
    _, _, qemu = bench
    assert qemu.measure(qemu.CORES[1], ["costs.c"]) == qemu.measure(qemu.CORES[1], ["costs.c"])


def test_every_bound_can_break(bench):
    features, _, _ = bench
    good = features.Stage("cortex-m3", 128, 22_000, 23_000, 100_000, {"constant": 15_000, "clusters": 43_000})

    def broken(**changes) -> list[str]:
        return list(features.Stage(**{**vars(good), **changes}).broken())

    assert broken() == []
    assert "1 over 32000" in broken(mean=32_001, reference=10**6, worst={"constant": 1})[0]
    assert "0.253 of the reference" in broken(reference=87_000)[0]
    assert "'clusters' takes 2.00" in broken(worst={"constant": 1, "clusters": 44_001})[0]
    assert "emlearn_tools.cost says" in broken(mean=15_000, worst={"constant": 1})[0]


def test_a_price_that_is_off_is_named(bench):
    _, prices, _ = bench
    counts = {("features", 128): {"acc_x.jerk": 100}, ("smooth", 5): {"": 600}}
    (miss,) = prices.misses("cortex-m3", counts)
    assert "acc_x.jerk" in miss


def test_a_miscount_of_the_known_loops_is_an_error(bench, monkeypatch):
    _, _, qemu = bench
    core = qemu.CORES[0]

    def measure(lines: list[str]) -> None:
        monkeypatch.setattr(qemu, "call", lambda command: "\n".join(lines))
        qemu.measure(core, [])

    # 25 MHz and 256 ns an instruction are 6.4 ticks.
    loops = [f"loop|{n}||{round(2 * n * 6.4) + 19}" for n in (1, 10, 73, 514, 3601)]
    measure(["nothing|0||19", *loops])
    with pytest.raises(qemu.BenchError, match="22 instructions counted in a loop of 20"):
        measure(["nothing|0||19", *loops, f"loop|10||{round(22 * 6.4) + 19}"])
    with pytest.raises(qemu.BenchError, match="did not check"):
        measure(["nothing|0||19", *loops[:2]])
    with pytest.raises(qemu.BenchError, match="disagree"):
        measure(["nothing|0||19", *loops, "error: library and reference disagree"])
