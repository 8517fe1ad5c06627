# SPDX-License-Identifier: Apache-2.0
"""The C unit tests: with gcc and clang, 64 and 32 bit, warnings as errors, under the sanitizers."""

import re
import shutil

import core_build
import pytest
from core_build import ROOT, SANITIZERS, WARNINGS, Toolchain, run

TOOLCHAINS = (
    Toolchain("gcc", "gcc", SANITIZERS),
    Toolchain("clang", "clang", SANITIZERS),
    Toolchain("gcc-m32", "gcc", ("-m32", *SANITIZERS)),
    Toolchain("gcc-Os", "gcc", ("-Os",)),
    Toolchain("clang-O3", "clang", ("-O3",)),
    Toolchain("gcc-lto", "gcc", ("-O3", "-flto")),
    # The way of processors that count leading zeros.
    Toolchain("gcc-clz", "gcc", ("-O2", "-D__ARM_FEATURE_CLZ=1")),
)
# String functions, and the integer helpers of Arm's run-time ABI.
ALLOWED_CALLS = re.compile(
    r"mem(cpy|set|move)|strchr|strcspn|__stack_chk_fail|__gnu_thumb1_case_\w+"
    r"|__aeabi_(u?l?(i|l)div(mod)?|lmul|llsl|llsr|lasr|mem(cpy|set|clr|move)[48]?)"
)
HEADERS = sorted((ROOT / "include" / "emlearn").glob("*.h"))


@pytest.fixture(scope="session", params=TOOLCHAINS, ids=lambda toolchain: toolchain.name)
def built(request, tmp_path_factory):
    """(toolchain, objects of the core, folder)"""
    toolchain = request.param
    reason = toolchain.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp(toolchain.name)
    return toolchain, toolchain.core(folder), folder


@pytest.mark.parametrize("source", core_build.test_sources(), ids=lambda path: path.stem)
def test_unit_tests_of_the_core_pass(built, source):
    toolchain, core, folder = built
    names = run([toolchain.program(source, core, folder)], folder).split()
    assert names == re.findall(r"^TEST\((\w+)\)", source.read_text(), re.M)


@pytest.mark.parametrize(
    "toolchain, nm",
    (
        # Without optimisation, so that no call is folded away that a small target would need.
        (Toolchain("gcc", "gcc", ("-O0",)), "nm"),
        (Toolchain("clang", "clang", ("-O0",)), "nm"),
        (Toolchain("m0", "arm-none-eabi-gcc", ("-Os", "-mcpu=cortex-m0", "-mthumb")), "arm-none-eabi-nm"),
        (Toolchain("m4f", "arm-none-eabi-gcc", ("-Os", "-mcpu=cortex-m4", "-mthumb")), "arm-none-eabi-nm"),
    ),
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_core_needs_neither_heap_nor_output_nor_floating_point(toolchain, nm, tmp_path):
    for tool in (toolchain.compiler, nm):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    own, needed = set(), set()
    for path in toolchain.core(tmp_path):
        for line in run([nm, path], tmp_path).splitlines():
            kind, name = line.split()[-2:]
            (needed if kind == "U" else own).add(name)
    assert {name for name in needed - own if not ALLOWED_CALLS.fullmatch(name)} == set()


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "command",
    (
        ("gcc", "-x", "c", "-std=c99"),
        ("clang", "-x", "c", "-std=c99"),
        ("g++", "-x", "c++", "-std=c++11"),
        ("clang++", "-x", "c++", "-std=c++20"),
    ),
    ids=lambda command: f"{command[0]}-{command[3][5:]}",
)
def test_every_header_stands_alone_in_c_and_in_cpp(header, command, tmp_path):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    source = tmp_path / "use.c"
    source.write_text(f"#include <emlearn/{header.name}>\n#include <emlearn/{header.name}>\nint used;\n")
    run([*command, *WARNINGS, f"-I{ROOT / 'include'}", "-fsyntax-only", str(source)], tmp_path)


@pytest.mark.parametrize(
    "body, message",
    (
        ("CHECK(argc == 7);", "not true: argc == 7"),
        ("CHECK_EQ(argc, 7);", "argc is 1, not 7"),
        ("int32_t x = INT32_MAX; x += argc; CHECK(x != 0);", "signed integer overflow"),
        ("static int16_t a[2]; CHECK_EQ(a[argc + 1], 0);", "out of bounds"),
    ),
)
@pytest.mark.parametrize("toolchain", TOOLCHAINS[:3], ids=lambda toolchain: toolchain.name)
def test_a_wrong_program_fails(toolchain, body, message, tmp_path):
    """The guards themselves: checks and sanitizers end a program with an error."""
    if toolchain.missing():
        pytest.skip(toolchain.missing())
    source = tmp_path / "wrong.c"
    source.write_text(
        f'#include "check.h"\nint main(int argc, char **argv) {{ (void)argv; {body} return 0; }}\n'
    )
    program = toolchain.program(source, [], tmp_path)
    with pytest.raises(AssertionError, match=message):
        run([program], tmp_path)
