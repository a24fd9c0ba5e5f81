"""Two writers of one note: whatever they do, what either wrote is there in the end."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.calls.merging import merge, start


@pytest.mark.parametrize(
    ("base", "stored", "mine", "merged"),
    [
        ("", "Wants two", "Call on Friday", "Wants two\nCall on Friday"),
        ("Wants", "Wants two", "Wants", "Wants two"),
        ("Wants", "Wants", "Wants three", "Wants three"),
        ("Wants two", "Wants two", "", ""),
        ("Wants chairs", "Wants two chairs", "Wants chairs by Friday", "Wants two chairs by Friday"),
        ("Wants chairs", "Olga: wants chairs", "Wants chairs, blue", "Olga: wants chairs, blue"),
        ("a\nb\nc", "a\nB\nc", "a\nb\nc\nd", "a\nB\nc\nd"),
        ("a b c", "a x c", "a y c", "a x y c"),
        ("two chairs", "two blue chairs", "chairs", "blue chairs"),
        ("two chairs", "", "two blue chairs", "two blue chairs"),
        ("", "Wants tw", "Wants two", "Wants tw\nWants two"),
        ("", "Wants", "Wants two", "Wants two"),
        ("Wants", "Wants\nBy Friday", "Wants two", "Wants two\nBy Friday"),
        ("Да", "Да, в пятницу", "Да, в пятницу", "Да, в пятницу"),
    ],
)
def test_what_two_made_of_a_text(base: str, stored: str, mine: str, merged: str) -> None:
    assert merge(base, stored, mine) == merged


def test_a_writer_whose_answer_was_lost_begins_from_what_was_stored() -> None:
    stored = "Wants tw"
    assert merge(start(["", "Wants tw"], stored), stored, "Wants two") == "Wants two"
    assert start(["", "Wants tw"], "Something else") == ""
    assert start([], "Something") == ""


WORD = st.sampled_from(["aa", "bb", "cc", "dd", "ee", ",", "\n", " "])
TEXT = st.lists(WORD, max_size=12).map("".join)


@st.composite
def edited(draw: st.DrawFn, base: str, names: str) -> tuple[str, set[str]]:
    """A text made of `base` by cutting and writing, and the words that were written."""
    text, wrote = base, set()
    for n in range(draw(st.integers(0, 3))):
        begin = draw(st.integers(0, len(text)))
        end = draw(st.integers(begin, min(len(text), begin + 4)))
        word = f"{names}{n}" if draw(st.booleans()) else ""
        text = f"{text[:begin]} {word} {text[end:]}" if word else text[:begin] + text[end:]
    return text, {word for word in (f"{names}{n}" for n in range(3)) if word in text} | wrote


@given(st.data())
def test_no_word_of_either_is_lost(data: st.DataObject) -> None:
    base = data.draw(TEXT)
    stored, theirs = data.draw(edited(base, "stored"))
    mine, own = data.draw(edited(base, "mine"))
    merged = merge(base, stored, mine)
    assert {word for word in theirs | own if word not in merged} == set()


@given(TEXT, TEXT)
def test_what_one_alone_changed_is_taken_as_it_is(base: str, made: str) -> None:
    assert merge(base, base, made) == made
    assert merge(base, made, base) == made
    assert merge(base, made, made) == made


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_merged_without_losing_a_letter_that_is_new(base: str, stored: str, mine: str) -> None:
    merged = merge(base, stored, mine)
    new = (set(stored) | set(mine)) - set(base)
    assert new <= set(merged)
    assert set(merged) <= set(base) | set(stored) | set(mine) | {"\n", " "}


@given(st.data())
def test_who_writes_on_behind_a_merge_finds_his_words_once(data: st.DataObject) -> None:
    """A writer saves, goes on typing, and saves again with the text that he last sent as his base."""
    base = data.draw(st.lists(st.sampled_from(["aa", "bb", "cc"]), max_size=5).map(" ".join))
    first = f"{base} mine0"
    stored = merge(base, f"stored0 {base}", first)
    merged = merge(first, stored, f"{first} mine1")
    assert [merged.count(word) for word in ("stored0", "mine0", "mine1")] == [1, 1, 1]


def test_two_novels_are_merged_in_no_time() -> None:
    base, began = "a b " * 5000, time.perf_counter()
    merged = merge(base, "x " + base.replace("a", "c"), base.replace("b", "d") + " y")
    assert time.perf_counter() - began < 2
    assert re.search("x", merged) and re.search("y", merged) and "d" in merged and "c" in merged
