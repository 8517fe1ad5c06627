# SPDX-License-Identifier: Apache-2.0
"""Instructions of the feature stage on Cortex-M3 and Cortex-M0 under QEMU, against bounds.

    python bench/features.py            print the tables; exit 1 if a bound is broken, 2 without the tools
    python bench/features.py --json     the same as JSON
    python bench/features.py --doc      write docs/benchmark.md as well
    python bench/features.py --prices   print PRICES for emlearn_tools/cost.py instead

Nine statistics (mean, std, min, max, median, q25, q75, iqr, rms) of three axes and their magnitude, gcc -Os.
The counts are exact and the same on every machine with the same compiler.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts" / "west_commands")]

import document  # noqa: E402
import prices  # noqa: E402
import qemu  # noqa: E402
from emlearn_tools import cost  # noqa: E402

MOST = {
    ("cortex-m3", 128): 32_000,
    ("cortex-m3", 400): 90_000,
    ("cortex-m0", 128): 60_000,
    ("cortex-m0", 400): 175_000,
}
"""Instructions of a mean window."""

MOST_OF_REFERENCE = {("cortex-m3", 128): 0.25, ("cortex-m3", 400): 0.19}
"""Share of what the same statistics take by qsort()."""

MOST_OF_MEAN = 2.0
"""The worst window against the mean one."""

STREAMS = ("acc_x", "acc_y", "acc_z", "acc_mag")
STATS = ("mean", "std", "min", "max", "median", "q25", "q75", "iqr", "rms")

TEXT = """\
## Feature stage

Instructions under QEMU, counted by `python bench/features.py`, written here with `--doc`. The library is
compiled with `-Os` by `{compiler}`. The counts are exact and repeat on
every run.

Mean, std, min, max, median, q25, q75, iqr and rms of three axes and their magnitude, one window, mean of 16
seeded windows. The reference does the same with int16 samples, an integer comparator, newlib's `qsort()` and
the same square root. The command exits with 1 if a bound is broken.

{stages}

### Shapes of windows

Instructions against the mean of ordinary windows. The last ones are made to hurt the selection of quantiles:
outliers that stretch its histograms, clusters dense enough to need every level of them, runs just short
enough to be sorted, and what a search found that makes the slowest of many windows slower by small changes
(`bench/search.c`). The bound is 2.

{shapes}

### Parts

What `west emlearn train` estimates with (`emlearn_tools/cost.py`); the command checks that every estimate is
within 25 % of what it measures. A window of n frames pays each of its streams once, which includes min, max
and ptp; `order` is median, q25, q75 and iqr together.

{parts}
"""


@dataclass(frozen=True)
class Stage:
    """Instructions for one window length on one core: mean and most of the ordinary windows, their mean by
    qsort(), and the shapes that cost most."""

    core: str
    window_len: int
    mean: int
    most: int
    reference: int
    worst: dict[str, int]

    @property
    def key(self) -> tuple[str, int]:
        """Of the bounds."""
        return self.core, self.window_len

    @property
    def worst_shape(self) -> str:
        """The window that takes most."""
        return max(self.worst, key=lambda shape: self.worst[shape])

    def broken(self) -> Iterator[str]:
        """Sentences on the bounds that do not hold."""
        where = f"{self.core}, {self.window_len} frames"
        share = self.mean / self.reference
        of_mean = self.worst[self.worst_shape] / self.mean
        features = [f"{stream}.{stat}" for stream in STREAMS for stat in STATS]
        estimated = cost.feature_instructions(features, self.window_len, self.core)
        if self.mean > MOST[self.key]:
            yield f"{where}: {self.mean} instructions, {self.mean - MOST[self.key]} over {MOST[self.key]}"
        if share > MOST_OF_REFERENCE.get(self.key, 1):
            yield f"{where}: {share:.3f} of the reference, over {MOST_OF_REFERENCE.get(self.key, 1)}"
        if of_mean > MOST_OF_MEAN:
            yield f"{where}: '{self.worst_shape}' takes {of_mean:.2f} times the mean, over {MOST_OF_MEAN}"
        if abs(estimated - self.mean) > prices.TOLERANCE * self.mean:
            yield f"{where}: {self.mean} instructions, emlearn_tools.cost says {estimated}"


def stages(core: qemu.Core) -> list[Stage]:
    """Run features.c and search.c: what they measure, by window length."""
    counts = qemu.measure(core, ["features.c", "stage.c", "reference.c"])
    searched = qemu.measure(core, ["search.c", "stage.c"])
    result = []
    for window_len in sorted(size for what, size in counts if what == "seeded"):
        seeded = counts["seeded", window_len].values()
        slow = counts["reference", window_len].values()
        mean, reference = (round(sum(values) / len(values)) for values in (seeded, slow))
        worst = counts["worst", window_len] | {"found by search": searched["search", window_len][""]}
        result.append(Stage(core.name, window_len, mean, max(seeded), reference, worst))
    return result


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table; all columns but the first are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def stage_table(found: list[Stage]) -> str:
    """The stage as a whole."""
    head = ["core, window", "mean", "bound", "by `qsort()`", "share", "bound", "worst", "against the mean"]
    rows = [
        [
            f"{s.core}, {s.window_len}",
            f"{s.mean:,}",
            f"{MOST[s.key]:,}",
            f"{s.reference:,}",
            f"{s.mean / s.reference:.3f}",
            str(MOST_OF_REFERENCE.get(s.key, "")),
            f"{s.worst[s.worst_shape]:,}",
            f"{s.worst[s.worst_shape] / s.mean:.2f}",
        ]
        for s in found
    ]
    return markdown(head, rows)


def shape_table(found: list[Stage]) -> str:
    """Every shape of window against the mean."""
    head = ["window", *(f"{s.core}, {s.window_len}" for s in found)]
    return markdown(head, [[x, *(f"{s.worst[x] / s.mean:.2f}" for s in found)] for x in found[0].worst])


def part_table() -> str:
    """What one stream and one statistic cost, n being the frames of the window."""
    some = next(iter(cost.PRICES.values()))
    parts = {f"stream `{kind}`": [one.streams[kind] for one in cost.PRICES.values()] for kind in some.streams}
    parts |= {f"statistic `{stat}`": [one.stats[stat] for one in cost.PRICES.values()] for stat in some.stats}
    parts["`corr` of two axes"] = [one.pair for one in cost.PRICES.values()]
    rows = [[part, *map(price_text, found)] for part, found in parts.items()]
    return markdown(["part", *cost.PRICES], rows)


def price_text(price: cost.Price) -> str:
    """A price as a formula."""
    return f"{price.once:g} + {price.each:.1f} n" if price.each else f"{price.once:g}"


def compiler_version() -> str:
    """The first line of what the compiler says of itself."""
    done = subprocess.run([qemu.CC, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def report(found: list[Stage], broken: list[str], as_json: bool) -> str:
    """What to print."""
    if as_json:
        result = {"compiler": compiler_version(), "stages": [asdict(s) for s in found], "broken": broken}
        return json.dumps(result, indent=2)
    return "\n\n".join([stage_table(found), shape_table(found), part_table()])


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description="Instructions of the feature stage, against bounds.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--doc", action="store_true", help="write docs/benchmark.md as well")
    parser.add_argument("--prices", action="store_true", help="print PRICES for cost.py and nothing else")
    args = parser.parse_args()
    missing = qemu.missing_tools()
    if missing:
        print(f"error: not installed: {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        parts = {core.name: qemu.measure(core, ["costs.c"]) for core in qemu.CORES}
        if args.prices:
            print(prices.literal({name: prices.derive(counts) for name, counts in parts.items()}))
            return 0
        found = [stage for core in qemu.CORES for stage in stages(core)]
    except qemu.BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    broken = [text for stage in found for text in stage.broken()]
    broken += [text for name, counts in parts.items() for text in prices.misses(name, counts)]
    print(report(found, broken, args.json))
    if args.doc:
        tables = {"stages": stage_table(found), "shapes": shape_table(found), "parts": part_table()}
        document.put("features", TEXT.format(compiler=compiler_version(), **tables))
    for text in broken:
        print(f"broken: {text}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
