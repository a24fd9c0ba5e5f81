"""Who is an operator and what is a trunk."""

import pytest

from callcrm.telephony.sides import OPERATOR, OTHER, TRUNK, Sides, dialled_number, evidence


def test_regular_expressions_match_the_whole_endpoint():
    sides = Sides(trunks="PJSIP/trunk", operators=r"PJSIP/1\d\d")
    assert sides.of("PJSIP/101") == (OPERATOR, "101")
    assert sides.of("PJSIP/trunk") == (TRUNK, "")
    assert sides.of("PJSIP/trunk2") == (OTHER, "")
    assert sides.of("PJSIP/1011") == (OTHER, "")


def test_a_group_names_the_extension():
    assert Sides(trunks="x", operators=r"PJSIP/desk-(\d+)").of("PJSIP/desk-204") == (OPERATOR, "204")


@pytest.mark.parametrize(
    ("endpoint", "number", "context", "side"),
    [
        ("PJSIP/101", "101", "internal", OPERATOR),
        ("SIP/2001", "", "", OPERATOR),
        ("PJSIP/olha", "204", "from-internal", OPERATOR),
        ("PJSIP/olha", "79161234567", "from-trunk", TRUNK),
        ("SIP/my-provider", "74951234567", "default", TRUNK),
        ("DAHDI/i1/74951234567", "74951234567", "from-pstn", TRUNK),
    ],
)
def test_what_is_not_given_is_guessed_and_told(endpoint, number, context, side):
    told = []
    sides = Sides(told=lambda *what: told.append(what))
    assert sides.of(endpoint, number=number, context=context)[0] == side
    assert sides.of(endpoint)[0] == side
    assert told == [(endpoint, side)]


def test_a_dial_string_shows_a_trunk_and_the_number():
    assert list(evidence("PJSIP/line7", "79161234567@line7")) == [("PJSIP/line7", TRUNK)]
    assert list(evidence("SIP/line7", "line7/79161234567")) == [("SIP/line7", TRUNK)]
    assert list(evidence("PJSIP/101", "101")) == []
    assert [dialled_number(one) for one in ("79161234567@trunk", "trunk/+79161234567", "101", "")] == [
        "79161234567",
        "+79161234567",
        "",
        "",
    ]
