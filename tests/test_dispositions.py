"""The words for what came of a call, as an administrator may write them."""

from pathlib import Path

import pytest

from callcrm.dispositions import Disposition, DispositionSettings, read
from callcrm.kernel.errors import StartupError
from callcrm.settings import load


def test_a_flat_list_is_still_a_list() -> None:
    words = DispositionSettings.model_validate({"default": ["Done", " Call again "]})
    assert words.of(None) == ("Done", "Call again")
    assert words.grouped("sales") == [("", [Disposition(word="Done")]), ("", [Disposition(word="Call again")])]


def test_words_may_stand_in_groups_and_propose_the_next_step() -> None:
    written = ["Done", {"group": "Sale", "words": ["Order", {"word": "Quote", "next": "task"}]}, "Spam"]
    words = DispositionSettings.model_validate({"queues": {"sales": written}})
    order, quote = Disposition(word="Order", group="Sale"), Disposition(word="Quote", group="Sale", next="task")
    assert words.of("sales") == ("Done", "Order", "Quote", "Spam")
    assert [(group, inside) for group, inside in words.grouped("sales") if group] == [("Sale", [order, quote])]
    assert words.of("support") == DispositionSettings().of(None)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ([f"Word {n}" for n in range(16)], "16 words, and at most 15"),
        (["Done", {"group": "Sale", "words": ["done"]}], "'done' stands there twice"),
        ([{"group": "Sale", "words": [{"group": "Big", "words": ["Order"]}]}], "in no other group"),
        ([{"group": "Sale"}], "the group 'Sale' needs its words"),
        ([{"word": "Done", "next": "dance"}], "one of nothing, callback, task, not 'dance'"),
        ([{"word": "Done", "then": "callback"}], "is no disposition"),
        (["x" * 61], "1 to 60 characters"),
        ([""], "is no word"),
        ([7], "is no disposition"),
        ("Done", "write a list"),
    ],
)
def test_what_is_wrong_with_a_list_is_one_sentence(written: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(written)


def test_a_wrong_list_in_the_file_names_its_place(tmp_path: Path) -> None:
    file = tmp_path / "callcrm.toml"
    file.write_text('[dispositions.queues]\nsales = [{group = "Sale", words = []}]\n')
    with pytest.raises(StartupError, match=r"dispositions\.queues\.sales: the group 'Sale' needs its words"):
        load(file)


def test_fifteen_in_all_are_enough() -> None:
    inside = [f"Word {n}" for n in range(9)]
    assert len(read([*[f"Plain {n}" for n in range(6)], {"group": "Sale", "words": inside}])) == 15
