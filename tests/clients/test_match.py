"""The match ladder: exact, national, maybe; and who is offered when a number is shared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcrm.clients.match import MOST, Known, Match, ladder, read
from callcrm.kernel.numbers import parse

ANN, BOB, CID = 1, 2, 3
ACME = 50


def known(raw: str, client: int | None = None, organisation: int | None = None, country: str = "RU") -> Known:
    number = parse(raw, country)
    return Known(number.e164, number.national, client, organisation)


@pytest.mark.parametrize(
    ("caller", "book", "step", "client", "offered"),
    [
        ("79161234567", [known("+79161234567", ANN)], "exact", ANN, [ANN]),
        ("79161234567", [known("+79161234567", ANN), known("1234567", BOB)], "exact", ANN, [ANN]),
        ("79161234567", [known("+79161234567", ANN), known("+79161234567", BOB)], "exact", None, [ANN, BOB]),
        ("79161234567", [known("9161234567", ANN, country="")], "national", ANN, [ANN]),
        ("1234567", [known("1234567", ANN)], "national", ANN, [ANN]),
        ("123456", [known("123456", ANN)], "national", ANN, [ANN]),
        ("74951234567", [known("1234567", ANN)], "maybe", None, [ANN]),
        ("1234567", [known("+74951234567", ANN)], "maybe", None, [ANN]),
        ("1234567", [known("+74951234567", ANN), known("+78121234567", BOB)], "maybe", None, [ANN, BOB]),
        ("79161234567", [known("89161234567", ANN, country="")], "maybe", None, [ANN]),
        ("+12025550123", [known("+442025550123", ANN)], "maybe", None, [ANN]),
        ("74951234567", [known("+78121234567", ANN)], "none", None, []),
        ("74951234567", [known("+74951234568", ANN)], "none", None, []),
        ("74951234567", [], "none", None, []),
        ("anonymous", [known("+79161234567", ANN)], "anonymous", None, []),
        ("101", [Known("", "101", ANN)], "extension", None, []),
        ("*98", [], "none", None, []),
    ],
)
def test_who_calls(caller: str, book: list[Known], step: str, client: int | None, offered: list[int]) -> None:
    match = ladder(parse(caller, "RU"), book)
    assert (match.step, match.client_id, list(match.clients)) == (step, client, offered)
    assert match.remembered is False


def test_a_number_of_an_organisation_may_be_any_of_its_people() -> None:
    match = ladder(parse("74951234567", "RU"), [known("+74951234567", organisation=ACME)], {ACME: (ANN, BOB)})
    assert (match.step, match.client_id, match.clients, match.organisation_id) == ("exact", None, (ANN, BOB), ACME)


def test_an_organisation_with_one_person_is_that_person() -> None:
    match = ladder(parse("74951234567", "RU"), [known("+74951234567", organisation=ACME)], {ACME: (ANN,)})
    assert (match.client_id, match.organisation_id) == (ANN, ACME)


def test_an_organisation_without_people_is_known_all_the_same() -> None:
    match = ladder(parse("74951234567", "RU"), [known("+74951234567", organisation=ACME)])
    assert (match.step, match.client_id, match.clients, match.organisation_id) == ("exact", None, (), ACME)


def test_who_was_chosen_among_several_is_remembered() -> None:
    book = [known("+79161234567", ANN), known("+79161234567", BOB)]
    match = ladder(parse("79161234567", "RU"), book, remembered=BOB)
    assert (match.client_id, match.clients, match.remembered) == (BOB, (ANN, BOB), True)


def test_a_choice_outside_the_organisation_is_remembered_too() -> None:
    book = [known("+74951234567", organisation=ACME)]
    match = ladder(parse("74951234567", "RU"), book, {ACME: (ANN, BOB)}, remembered=CID)
    assert (match.client_id, match.remembered) == (CID, True)


def test_a_maybe_that_was_chosen_is_remembered() -> None:
    match = ladder(parse("74951234567", "RU"), [known("1234567", ANN)], remembered=BOB)
    assert (match.step, match.client_id, match.remembered) == ("maybe", BOB, True)


def test_an_old_choice_does_not_outweigh_the_only_owner_of_the_number() -> None:
    match = ladder(parse("79161234567", "RU"), [known("+79161234567", ANN)], remembered=BOB)
    assert (match.client_id, match.remembered) == (ANN, False)


def test_a_crowd_is_cut() -> None:
    match = ladder(parse("74951234567", "RU"), [known("+74951234567", organisation=ACME)], {ACME: range(1, 500)})
    assert len(match.clients) == MOST


def test_a_stored_match_is_read_back() -> None:
    match = Match("chosen", "+79161234567", ANN, (ANN, BOB), ACME, False, 7)
    assert read(match.data(), ANN) == match
    assert match.chosen
    assert read(None, None) is None


DIGITS = st.text("0123456789", min_size=1, max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(DIGITS, st.sampled_from([ANN, BOB, CID])), max_size=6), DIGITS)
def test_only_somebody_of_the_book_is_named_and_certainty_comes_first(
    written: list[tuple[str, int]], caller: str
) -> None:
    book = [known(raw, client) for raw, client in written]
    number = parse(caller, "RU")
    match = ladder(number, book)
    assert set(match.clients) <= {entry.client_id for entry in book}
    assert match.client_id is None or match.clients == (match.client_id,)
    same = {entry.client_id for entry in book if number.e164 and entry.e164 == number.e164}
    assert (match.step == "exact") == bool(same)
    if same:
        assert set(match.clients) == same
