"""Bytes of a recording as HTTP's Range asks for them."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import NotSatisfiable, blocks, part_of

DATA = bytes(range(256)) * 40


@pytest.mark.parametrize(
    ("header", "begin", "end", "whole"),
    [
        (None, 0, 10240, True),
        ("bytes=0-99", 0, 100, False),
        ("bytes=100-", 100, 10240, False),
        ("bytes=-100", 10140, 10240, False),
        ("bytes=-99999", 0, 10240, False),
        ("bytes=0-99999", 0, 10240, False),
        ("bytes=0-1,5-6", 0, 10240, True),
        ("bytes=9-2", 0, 10240, True),
        ("bytes=-", 0, 10240, True),
        ("chapters=1-2", 0, 10240, True),
        ("bytes=" + "9" * 500, 0, 10240, True),
    ],
)
def test_a_range_header(header: str | None, begin: int, end: int, whole: bool) -> None:
    part = part_of(len(DATA), header)
    assert (part.begin, part.end, part.whole) == (begin, end, whole)
    assert b"".join(blocks(io.BytesIO(DATA), part)) == DATA[begin:end]


@pytest.mark.parametrize("header", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside_the_file_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(NotSatisfiable, match=r"bytes \*/10240"):
        part_of(len(DATA), header)


@given(st.integers(0, 12000), st.integers(0, 12000), st.integers(1, 5000))
def test_any_range_gives_exactly_its_bytes(first: int, last: int, block: int) -> None:
    try:
        part = part_of(len(DATA), f"bytes={first}-{last}")
    except NotSatisfiable:
        assert first >= len(DATA)
        return
    got = list(blocks(io.BytesIO(DATA), part, block))
    assert b"".join(got) == (DATA if part.whole else DATA[first : last + 1])
    assert all(len(one) <= block for one in got)


def test_a_file_that_was_cut_meanwhile_ends_early() -> None:
    assert b"".join(blocks(io.BytesIO(DATA[:50]), part_of(len(DATA), None))) == DATA[:50]
