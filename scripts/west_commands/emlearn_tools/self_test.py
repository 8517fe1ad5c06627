# SPDX-License-Identifier: Apache-2.0
"""The generated C as a program of its own, library, model and self-test, to be run and to be weighed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from emlearn_tools import native
from emlearn_tools.atomic import write_text
from emlearn_tools.errors import EmlearnError

FLAGS = ("-std=c99", "-Os", "-g", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
CORTEX_M4 = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "--specs=nano.specs", "--specs=nosys.specs")

_MAIN = """\
/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/golden.h>

#include "{name}.h"

{upper}_PIPELINE_DEFINE(pipeline);

int main(void)
{{
	return emlearn_pipeline_init(&pipeline) != 0 || emlearn_golden_run(&{name}_golden, &pipeline, NULL) != 0;
}}
"""


def build(generated: Path, name: str, folder: Path, compiler: Sequence[str] | None = None) -> Path:
    """Compile generated/NAME.c with the library and a main() that runs the self-test; returns the program.

    compiler: command with options; default the host's. Raises EmlearnError with the compiler's words.
    """
    command = list(compiler or native.compiler())
    root = native.source_root()
    main, program = folder / "main.c", folder / f"self_test_{Path(command[0]).name}"
    write_text(main, _MAIN.format(name=name, upper=name.upper()))
    include = [root / "include", root / "src" / "core", generated]
    sources = [main, generated / f"{name}.c", *sorted((root / "src" / "core").glob("*.c"))]
    line = [*command, *FLAGS, *(f"-I{path}" for path in include), "-o", str(program), *map(str, sources)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EmlearnError(f"the generated C does not compile:\n{done.stderr.strip()}", command[0])
    return program


def passes(program: Path) -> bool:
    """Run a program that build() made for this machine: whether the C code gives what training computed."""
    return subprocess.run([str(program)], check=False).returncode == 0


def build_for_weighing(generated: Path, name: str, folder: Path, host: Path) -> tuple[Path, str]:
    """A program to take bytes from, and what it is for: Cortex-M4 if there is a compiler, else this machine.

    host: the program for this machine.
    """
    if shutil.which(CORTEX_M4[0]):
        try:
            return build(generated, name, folder, CORTEX_M4), "Cortex-M4, -Os"
        except EmlearnError:
            # The compiler can be there without its C library.
            pass
    return host, "this machine, -Os (no arm-none-eabi-gcc with a C library found)"
