# SPDX-License-Identifier: Apache-2.0
"""Parts of docs/benchmark.md that the tools write, each between marks of its own."""

from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmark.md"


def put(part: str, text: str, document: Path = DOCUMENT) -> None:
    """Replace what stands between the marks of a part. Raises ValueError without such marks."""
    begin, end = (f"<!-- {part}: {what} -->" for what in ("begin", "end"))
    whole = document.read_text(encoding="utf-8")
    before, has_begin, rest = whole.partition(begin)
    _, has_end, after = rest.partition(end)
    if not has_begin or not has_end:
        raise ValueError(f"{document}: no {begin} ... {end}")
    document.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
