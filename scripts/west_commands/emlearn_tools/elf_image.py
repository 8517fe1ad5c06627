# SPDX-License-Identifier: Apache-2.0
"""An ELF as sizes need it: bytes in flash and RAM by section, symbols, and which source defines which.

Symbols have sizes, DWARF knows the source files; the two are joined by address and name. What the linker put
between symbols (string literals, padding) belongs to no symbol.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from emlearn_tools.build_folder import Region
from emlearn_tools.errors import EmlearnError

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.die import DIE

_WRITE, _ALLOC = 1, 2
_OP_ADDR, _OP_ADDRX = 0x03, 0xA1
_LINK_TIME = "<artificial>"
"""What gcc calls the unit of all that it compiled at link time."""

_DEBUG_HINT = (
    "build with debug information (Zephyr does so by default), and give the ELF before it is stripped"
)


class Bytes(NamedTuple):
    """Bytes in flash and in RAM; initialised data is in both."""

    flash: int
    ram: int

    def __add__(self, other: object) -> "Bytes":
        if not isinstance(other, tuple):
            return NotImplemented
        return Bytes(self.flash + other[0], self.ram + other[1])

    def __sub__(self, other: "Bytes") -> "Bytes":
        return Bytes(self.flash - other.flash, self.ram - other.ram)


@dataclass(frozen=True)
class Symbol:
    """A function or object: file is the base name of its source if it is static, else empty."""

    name: str
    address: int
    size: Bytes
    file: str


class Definition(NamedTuple):
    """A function or variable: its name, where it starts, and the name of its struct, "" if it is none."""

    name: str
    address: int
    struct: str


class Image:
    """A linked ELF, open for reading; use it in a `with` statement.

    Raises EmlearnError on opening: no ELF, damaged, an object before linking, or without symbols or DWARF.
    """

    def __init__(self, path: Path, ram: Region | None) -> None:
        """ram: the memory, where known; else what can be written is taken to be in RAM."""
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.elffile import ELFFile
        except ImportError:
            hint = "pip install pyelftools"
            raise EmlearnError("the package pyelftools is missing", hint=hint) from None
        try:
            self._stream = path.open("rb")
        except OSError as error:
            raise EmlearnError(f"cannot be read ({error.strerror})", path) from error
        try:
            self._elf = ELFFile(self._stream)
            self._check(path)
            self.machine = self._elf.get_machine_arch()
            self._places = [_place(section, ram) for section in self._elf.iter_sections()]
            self.symbols = list(self._read_symbols())
            self._units = dict(self._paths())
        except EmlearnError:
            self._stream.close()
            raise
        except (ELFError, UnicodeDecodeError, KeyError, ValueError, AssertionError) as error:
            self._stream.close()
            what = str(error) or type(error).__name__
            raise EmlearnError(f"not an ELF file, or a damaged one ({what})", path) from error

    def __enter__(self) -> "Image":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    @property
    def total(self) -> Bytes:
        """All sections."""
        result = Bytes(0, 0)
        for section, (in_flash, in_ram) in zip(self._elf.iter_sections(), self._places, strict=True):
            result += (section["sh_size"] * in_flash, section["sh_size"] * in_ram)
        return result

    def n_sources(self, name: str) -> int:
        """How many source files have a base name."""
        return sum(os.path.basename(path) == name for path, _ in self._units.values())

    def definitions(self, wanted: Callable[[str], bool]) -> dict[str, list[Definition]]:
        """The functions and variables of the source files whose path is wanted, by path. What was compiled at
        link time is searched in any case."""
        found: dict[str, list[Definition]] = defaultdict(list)
        for path, unit in self._units.values():
            if path != _LINK_TIME and not wanted(path):
                continue
            for die in unit.iter_DIEs():
                address = _address(die)
                if address is None:
                    continue
                named = _named(die)
                source, _ = self._units[named.cu.cu_offset]
                name = _text(named, "DW_AT_name")
                found[source].append(Definition(name, address, _struct_name(named)))
        return found

    def _check(self, path: Path) -> None:
        if self._elf["e_type"] == "ET_REL":
            raise EmlearnError(
                "an object that is not linked yet",
                path,
                "give zephyr.elf, or zephyr.exe of a build for native_sim",
            )
        if self._elf.get_section_by_name(".symtab") is None:
            raise EmlearnError("an ELF without symbols: it is stripped", path, _DEBUG_HINT)
        if not self._elf.has_dwarf_info(strict=True):
            raise EmlearnError("an ELF without debug information (DWARF)", path, _DEBUG_HINT)

    def _read_symbols(self) -> Iterator[Symbol]:
        thumb = self._elf["e_machine"] == "EM_ARM"
        file = ""
        for symbol in self._elf.get_section_by_name(".symtab").iter_symbols():
            kind, index = symbol["st_info"]["type"], symbol["st_shndx"]
            if kind == "STT_FILE":
                file = symbol.name
            if kind not in ("STT_FUNC", "STT_OBJECT") or not symbol["st_size"] or isinstance(index, str):
                continue
            address = symbol["st_value"] & ~1 if thumb and kind == "STT_FUNC" else symbol["st_value"]
            in_flash, in_ram = self._places[index]
            size = Bytes(symbol["st_size"] * in_flash, symbol["st_size"] * in_ram)
            yield Symbol(symbol.name, address, size, file if symbol["st_info"]["bind"] == "STB_LOCAL" else "")

    def _paths(self) -> Iterator[tuple[int, tuple[str, "CompileUnit"]]]:
        for unit in self._elf.get_dwarf_info().iter_CUs():
            top = unit.get_top_DIE()
            name, folder = (_text(top, key) for key in ("DW_AT_name", "DW_AT_comp_dir"))
            path = name if name == _LINK_TIME else os.path.normpath(os.path.join(folder, name))
            yield unit.cu_offset, (path, unit)


def _place(section: object, ram: Region | None) -> tuple[bool, bool]:
    """Whether a section takes flash, and whether it takes RAM."""
    flags = section["sh_flags"]
    if not flags & _ALLOC:
        return False, False
    in_ram = bool(flags & _WRITE) and (ram is None or ram.holds(section["sh_addr"]))
    return section["sh_type"] != "SHT_NOBITS", in_ram


def _text(die: "DIE", key: str) -> str:
    attribute = die.attributes.get(key)
    return attribute.value.decode("utf-8", "replace") if attribute else ""


def _named(die: "DIE") -> "DIE":
    """The entry that has the name of a definition: itself, or a declaration or abstract function."""
    for key in ("DW_AT_specification", "DW_AT_abstract_origin"):
        if "DW_AT_name" not in die.attributes and key in die.attributes:
            return _named(die.get_DIE_from_attribute(key))
    return die


def _address(die: "DIE") -> int | None:
    """Where a function starts or a variable with static storage lies; None for all else."""
    if die.tag == "DW_TAG_subprogram":
        low = die.attributes.get("DW_AT_low_pc")
        return low.value if low else None
    if die.tag != "DW_TAG_variable":
        return None
    location = die.attributes.get("DW_AT_location")
    if location is None or not isinstance(location.value, list) or not location.value:
        return None
    operation, operand = location.value[0], bytes(location.value[1:])
    if operation == _OP_ADDR:
        return int.from_bytes(operand, "little" if die.dwarfinfo.config.little_endian else "big")
    if operation == _OP_ADDRX:
        index = sum((byte & 0x7F) << (7 * i) for i, byte in enumerate(operand))
        return die.dwarfinfo.get_addr(die.cu, index)
    return None


def _struct_name(die: "DIE") -> str:
    """Of a variable's type, without const and volatile; "" if it is no struct."""
    while die.tag in ("DW_TAG_variable", "DW_TAG_const_type", "DW_TAG_volatile_type"):
        if "DW_AT_type" not in die.attributes:
            return ""
        die = die.get_DIE_from_attribute("DW_AT_type")
    return _text(die, "DW_AT_name") if die.tag == "DW_TAG_structure_type" else ""
