# SPDX-License-Identifier: Apache-2.0
"""Bytes of an image by room: models, each part of the library, readers, buffers, and the rest.

A symbol belongs to the room of the source file that defines it; buffers are the arrays and the state that
NAME_PIPELINE_DEFINE() makes. Stacks and what plays recordings are counted apart. String literals have no
symbol and count as rest, and so does what the compiler inlined into the application.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emlearn_tools.build_folder import Frame, Region, find_elf, library_frames, regions
from emlearn_tools.elf_image import Bytes, Definition, Image, Symbol, Unit
from emlearn_tools.errors import EmlearnError

ROOMS = (
    *("model", "features", "filter", "trees", "window", "smooth", "pipeline", "wire", "golden", "arithmetic"),
    *("readers", "buffers", "replay"),
)
"""All that is emlearn's, in the order of the report. "replay" is the replay device and its recording: test
gear, which no budget counts."""

ROOM_OF_CORE = {"quartiles": "features", "q": "arithmetic"}
"""Rooms of sources of src/core that are not called as their room is."""

MEMORIES = ("flash", "ram")

_STACK = re.compile(r"(^|_)stacks?(_area)?$")
_BUFFER = "emlearn_buffer_"
_STATE = "emlearn_pipeline_state"
_GENERATED = (("pipeline", "emlearn_pipeline", "model"), ("recording", "emlearn_recording", "replay"))
"""What the converter writes: NAME_what, of which struct, for which room."""


@dataclass(frozen=True)
class Size:
    """An image. rooms: those that are there, of ROOMS. stacks: bytes of RAM by symbol. flash, ram: the
    memories, None where not known. frames: stack of the library's functions, where known, deepest first."""

    elf: Path
    machine: str
    total: Bytes
    rooms: Mapping[str, Bytes]
    stacks: Mapping[str, int]
    flash: Region | None
    ram: Region | None
    frames: tuple[Frame, ...]

    @property
    def replay(self) -> Bytes:
        """The replay device and its recording."""
        return self.rooms.get("replay", Bytes(0, 0))

    @property
    def emlearn(self) -> Bytes:
        """All rooms but the replay."""
        return sum(self.rooms.values(), Bytes(0, 0)) - self.replay

    @property
    def stack(self) -> Bytes:
        """All stacks."""
        return Bytes(0, sum(self.stacks.values()))

    @property
    def rest(self) -> Bytes:
        """What is neither emlearn's nor a stack."""
        return self.total - self.emlearn - self.replay - self.stack


@dataclass(frozen=True)
class Budget:
    """The most bytes of a memory, and how many there are."""

    memory: str
    limit: int
    used: int

    @property
    def over(self) -> int:
        """Bytes above the limit, 0 if it holds."""
        return max(0, self.used - self.limit)


def measure(path: Path) -> Size:
    """Read an ELF, or that of a build folder (build_folder.find_elf). Raises EmlearnError as Image does."""
    elf = find_elf(path)
    flash, ram = regions(elf)
    with Image(elf, ram) as image:
        rooms = _rooms(image)
        stacks = {
            symbol.name: symbol.size.ram
            for symbol in image.symbols
            if symbol.size.ram and not symbol.size.flash and _STACK.search(symbol.name)
        }
        total, machine = image.total, image.machine
    return Size(elf, machine, total, rooms, stacks, flash, ram, tuple(library_frames(elf)))


def parse_budget(text: str) -> tuple[str, int]:
    """Memory and bytes of "flash=16k" or "ram=4096"; k is 1024. Raises EmlearnError for anything else."""
    match = re.fullmatch(r"(flash|ram)=(\d+)(k?)", text.lower())
    if match is None:
        raise EmlearnError(f"'{text}' is no budget", "--budget", "flash=16k or ram=4096")
    return match[1], int(match[2]) * (1024 if match[3] else 1)


def judge(size: Size, budgets: Iterable[tuple[str, int]], base: Size | None = None) -> list[Budget]:
    """Budgets against what emlearn takes: its rooms or, with another image as base, all that this one has
    beyond it, stacks apart."""
    used = size.emlearn if base is None else beyond(size, base)
    return [Budget(memory, limit, getattr(used, memory)) for memory, limit in budgets]


def beyond(size: Size, base: Size) -> Bytes:
    """What an image has more than another, stacks apart."""
    return (size.total - size.stack) - (base.total - base.stack)


def to_json(size: Size, budgets: Iterable[Budget] = (), base: Size | None = None) -> dict[str, Any]:
    """The report as JSON types: {elf, machine, total, emlearn, rest: {flash, ram}, rooms: {room: {flash,
    ram}}, stacks: {symbol: bytes}, regions: {flash, ram: bytes or null}, frames: [{function, source,
    bytes}], budgets: [{memory, limit, used, over}], beyond: {flash, ram, stack} or null}."""
    return {
        "elf": size.elf.name,
        "machine": size.machine,
        "total": size.total._asdict(),
        "emlearn": size.emlearn._asdict(),
        "rest": size.rest._asdict(),
        "rooms": {room: one._asdict() for room, one in size.rooms.items()},
        "stacks": dict(size.stacks),
        "regions": {m: getattr(size, m).size if getattr(size, m) else None for m in MEMORIES},
        "frames": [vars(frame) for frame in size.frames],
        "budgets": [{**vars(budget), "over": budget.over} for budget in budgets],
        "beyond": None
        if base is None
        else {**beyond(size, base)._asdict(), "stack": size.stack.ram - base.stack.ram},
    }


def to_text(size: Size, budgets: Iterable[Budget] = (), base: Size | None = None) -> str:
    """The report as a table and sentences."""
    rows = [("", "flash", "RAM")]
    rows += [(room, one.flash, one.ram) for room, one in size.rooms.items() if room != "replay"]
    rows += [("emlearn in all", *size.emlearn)]
    rows += [("replay device and recording", *size.replay)] if "replay" in size.rooms else []
    rows += [("rest of the image", *size.rest)]
    rows += [(f"stack {name}", 0, one) for name, one in size.stacks.items()]
    rows += [("total", *size.total)]
    if size.flash or size.ram:
        rows.append(("of", *(getattr(size, m).size if getattr(size, m) else "?" for m in MEMORIES)))
    if base is not None:
        rows.append((f"beyond {base.elf.name}, stacks apart", *beyond(size, base)))
    width = max(len(str(row[0])) for row in rows)
    lines = [f"{name:{width}}  {flash:>8}  {ram:>8}" for name, flash, ram in rows]
    if size.frames:
        deepest = size.frames[0]
        lines.append(
            f"deepest frame of the library: {deepest.function}() in {deepest.source}, {deepest.bytes} bytes"
        )
    if size.machine in ("x64", "x86"):
        lines.append("an image for this machine: the bytes are not those of a device")
    if not size.rooms:
        lines.append("nothing of emlearn is in this image")
    lines += [_verdict(budget, base) for budget in budgets]
    return "\n".join(lines)


def _verdict(budget: Budget, base: Size | None) -> str:
    of = "the rooms of emlearn" if base is None else f"what is beyond {base.elf.name}"
    memory = "RAM" if budget.memory == "ram" else budget.memory
    if budget.over:
        return f"budget broken: {of}: {memory} {budget.used} bytes, {budget.over} over {budget.limit}"
    return f"budget holds: {of}: {memory} {budget.used} of {budget.limit} bytes"


def _rooms(image: Image) -> dict[str, Bytes]:
    """Bytes by room, in the order of ROOMS."""
    sizes: dict[str, Bytes] = defaultdict(lambda: Bytes(0, 0))
    for symbol, room in _claims(image).items():
        sizes[room] += symbol.size
    return {room: sizes[room] for room in sorted(sizes, key=ROOMS.index)}


def _claims(image: Image) -> dict[Symbol, str]:
    """The room of each symbol that has one."""
    by_name: dict[tuple[str, int], list[Symbol]] = defaultdict(list)
    for symbol in image.symbols:
        # A copy that the compiler made of f() is f.constprop.0.
        by_name[symbol.name.partition(".")[0], symbol.address].append(symbol)
    claims = {symbol: "buffers" for symbol in image.symbols if symbol.name.startswith(_BUFFER)}
    users = {symbol.file for symbol in claims}
    definitions = {
        unit: list(unit.definitions())
        for unit in image.units
        if unit.name in users or _root(unit) or _may_be_generated(unit, image)
    }
    ours = {
        _root(unit)
        for unit, defined in definitions.items()
        if _root(unit) and any(name.startswith("emlearn_") for name, _, _ in defined)
    }
    for unit, defined in definitions.items():
        room = _library_room(unit) if _root(unit) in ours else _generated_room(unit, defined)
        for name, address, struct in defined:
            for symbol in by_name[name, address]:
                if struct == _STATE:
                    claims.setdefault(symbol, "buffers")
                elif room is not None:
                    claims.setdefault(symbol, room)
        if room is not None and sum(other.name == unit.name for other in image.units) == 1:
            # Tables that the compiler made have no debug information, but stand with their file.
            for symbol in image.symbols:
                if symbol.file == unit.name:
                    claims.setdefault(symbol, room)
    return {symbol: room for symbol, room in claims.items() if not _STACK.search(symbol.name)}


def _root(unit: Unit) -> str | None:
    """The folder that holds src/core and the others, if a source file could be the library's."""
    root, between, rest = unit.path.replace(os.sep, "/").rpartition("/src/")
    return root if between and re.fullmatch(r"(core|zephyr|emul)/\w+\.c", rest) else None


def _library_room(unit: Unit) -> str:
    folder, stem = re.search(r"(\w+).(\w+)\.c$", unit.path).groups()
    return {"zephyr": "readers", "emul": "replay"}.get(folder, ROOM_OF_CORE.get(stem, stem))


def _may_be_generated(unit: Unit, image: Image) -> bool:
    stem = unit.name.partition(".")[0]
    return any(f"{stem}_{what}" in image.names for what, _, _ in _GENERATED)


def _generated_room(unit: Unit, defined: Iterable[Definition]) -> str | None:
    """The room of a file that the converter wrote: NAME.c defines NAME_pipeline or NAME_recording."""
    stem = unit.name.partition(".")[0]
    structs = {name: struct for name, _, struct in defined}
    rooms = (room for what, struct, room in _GENERATED if structs.get(f"{stem}_{what}") == struct)
    return next(rooms, None)
