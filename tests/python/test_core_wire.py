# SPDX-License-Identifier: Apache-2.0
"""The wire line in C equals the oracle's, comes back as it was, and the documents' example is valid."""

import re

import oracle
import pytest
import strategies as own
from conftest import ROOT
from emlearn_tools import native
from emlearn_tools.errors import EmlearnError
from hypothesis import given, settings
from hypothesis import strategies as st

uint32 = st.one_of(st.sampled_from((0, 1, 9, 10, 2**31, 2**32 - 1)), st.integers(0, 2**32 - 1))
decisions = st.builds(
    oracle.Decision,
    t_us=st.one_of(st.sampled_from((0, -1, 2**63 - 1, -(2**63))), st.integers(-(2**63), 2**63 - 1)),
    votes=uint32,
    n_votes=uint32,
    n_lost=uint32,
    class_idx=st.integers(0, 255),
    window_class_idx=st.integers(0, 255),
    warming=st.booleans(),
)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)


def as_native(decision: oracle.Decision) -> native.Decision:
    return native.Decision(**vars(decision))


@settings(max_examples=300 * own.SOAK, deadline=None)
@given(decisions, uint32, names)
def test_a_line_is_exact_and_comes_back(decision, digest, name):
    line = native.wire_encode(as_native(decision), digest, name)
    assert line == oracle.wire_line(decision, digest, name.encode())
    assert len(line) <= 135
    assert native.wire_decode(line) == (as_native(decision), digest, line.split(",")[4])
    assert native.wire_decode(line + "\r\n") == native.wire_decode(line)


@settings(max_examples=300 * own.SOAK, deadline=None)
@given(decisions, st.data())
def test_a_damaged_line_is_refused(decision, data):
    line = oracle.wire_line(decision, 0x1A2B3C4D, b"walking")
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.characters(codec="ascii", exclude_characters="\0"))
    damaged = line[:at] + other + line[at + 1 :]
    if damaged != line:
        with pytest.raises(EmlearnError):
            native.wire_decode(damaged)
    with pytest.raises(EmlearnError):
        native.wire_decode(line[:at])


@pytest.mark.parametrize("document", ["include/emlearn/wire.h", "docs/format.md"])
def test_the_example_in_the_documents_is_a_valid_line(document):
    examples = re.findall(r"E1,\d+,.*\*[0-9a-f]{4}", (ROOT / document).read_text())
    assert examples
    for example in examples:
        decision, digest, name = native.wire_decode(example)
        assert example == oracle.wire_line(oracle.Decision(**decision._asdict()), digest, name.encode())


def test_the_checksum_has_the_published_check_value():
    assert oracle.crc16(b"123456789") == 0x29B1
