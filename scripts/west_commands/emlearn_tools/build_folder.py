# SPDX-License-Identifier: Apache-2.0
"""What a Zephyr build left behind: the ELF, the sizes of the memories, how deep the stack of a function is.

Standard library only.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from emlearn_tools.errors import EmlearnError

_BUILD_HINT = "west build -b BOARD -d DIR, then give DIR"


@dataclass(frozen=True)
class Region:
    """A memory: address of its first byte, and bytes."""

    start: int
    size: int

    def holds(self, address: int) -> bool:
        """Whether an address lies in it."""
        return self.start <= address < self.start + self.size


@dataclass(frozen=True)
class Frame:
    """The stack that a function takes for itself, as the compiler said (-fstack-usage)."""

    function: str
    source: str
    bytes: int


def find_elf(path: Path) -> Path:
    """The image of a build: `path` itself if it is a file, else what its build folder made.

    Knows the folders of a plain build (zephyr/zephyr.elf) and of sysbuild (domains.yaml and a folder an
    image); for native_sim it takes zephyr.exe, which is linked. Raises EmlearnError if there is none, or more
    than one to choose from.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise EmlearnError("no such file or folder", path, _BUILD_HINT)
    for folder in (path, path / "zephyr"):
        image = _image(folder)
        if image is not None:
            return image
    default = _default_domain(path / "domains.yaml")
    if default is not None:
        image = _image(path / default / "zephyr")
        if image is None:
            raise EmlearnError(
                f"the image '{default}' of this sysbuild folder is not built", path, _BUILD_HINT
            )
        return image
    images = [image for image in map(_image, sorted(path.glob("*/zephyr"))) if image is not None]
    if not images:
        raise EmlearnError("no zephyr.elf in this build folder", path, _BUILD_HINT)
    if len(images) > 1:
        names = ", ".join(str(image.relative_to(path)) for image in images)
        raise EmlearnError(f"more than one image: {names}", path, "give one of these files")
    return images[0]


def regions(elf: Path) -> tuple[Region | None, Region | None]:
    """Flash and RAM as the .config beside the ELF has them; None where it does not say."""
    config = _config(elf.parent / ".config")
    flash_size = 1024 * config.get("FLASH_SIZE", 0)
    offset = config.get("FLASH_LOAD_OFFSET", 0)
    load_size = config.get("FLASH_LOAD_SIZE", 0) or flash_size - offset
    ram_size = 1024 * config.get("SRAM_SIZE", 0)
    flash = Region(config.get("FLASH_BASE_ADDRESS", 0) + offset, load_size) if flash_size else None
    ram = Region(config.get("SRAM_BASE_ADDRESS", 0), ram_size) if ram_size else None
    return flash, ram


def library_frames(elf: Path) -> list[Frame]:
    """Stack of the library's functions, deepest first, where it was built with -fstack-usage; else none."""
    frames = []
    for su in sorted(elf.parent.rglob("*.su")):
        for line in su.read_text(encoding="utf-8", errors="replace").splitlines():
            match = re.fullmatch(r"(.+?/src/core/\w+\.c):\d+(?::\d+)?:(\S+)\t(\d+)\t.*", line)
            if match:
                frames.append(Frame(match[2], Path(match[1]).name, int(match[3])))
    return sorted(frames, key=lambda frame: (-frame.bytes, frame.function))


def _image(folder: Path) -> Path | None:
    for name in ("zephyr.exe", "zephyr.elf"):
        if (folder / name).is_file():
            return folder / name
    return None


def _default_domain(domains: Path) -> str | None:
    """The application of a sysbuild folder. domains.yaml has `default: name` on a line of its own."""
    if not domains.is_file():
        return None
    match = re.search(r"^default:\s*[\"']?([\w.-]+)", domains.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else None


def _config(path: Path) -> dict[str, int]:
    """The numbers of a .config, without CONFIG_."""
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    found = re.finditer(r"^CONFIG_(\w+)=(0x[0-9a-fA-F]+|\d+)$", text, re.MULTILINE)
    return {match[1]: int(match[2], 0) for match in found}
