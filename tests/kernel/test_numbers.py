"""Numbers as PBXes, people and strangers write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcrm.kernel import numbers

MOSCOW_MOBILE = "+79161234567"


@pytest.mark.parametrize(
    "raw",
    [
        "79161234567",
        "89161234567",
        "9161234567",
        "+7 916 123-45-67",
        "8 (916) 123 45 67",
        "8(916)1234567",
        "0079161234567",
        "+89161234567",
        "+0079161234567",
        "++79161234567",
        "sip:+79161234567@sip.provider.example;user=phone",
        '"Ann Lee" <sip:79161234567@10.0.0.1:5060>',
        "tel:+7-916-123-45-67",
        "tel:%2B79161234567",
        "goip-1/79161234567",
        "79161234567@SIP-PROVIDER-63",
        "+7.916.123.45.67 ext. 12",
        "8 916 123-45-67 доб. 4",
        "\u202a+7\u202c 916\u00a0123\u201145\u201067",
        "\u200f79161234567",
        "\uff17\uff19\uff11\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "\u0667\u0669\u0661\u0666\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        "8 916 123-45-67, 12#",
        " 79161234567 \r\n",
    ],
)
def test_one_russian_mobile_however_it_is_written(raw: str) -> None:
    number = numbers.parse(raw, "RU")
    assert (number.e164, number.national, number.tail) == (MOSCOW_MOBILE, "9161234567", "1234567")
    assert (number.country, number.kind, number.valid, number.key) == ("RU", "mobile", True, MOSCOW_MOBILE)


@pytest.mark.parametrize(
    ("raw", "country", "e164", "of"),
    [
        ("380501234567", "RU", "+380501234567", "UA"),
        ("12025550123", "RU", "+12025550123", "US"),
        ("77012345678", "RU", "+77012345678", "KZ"),
        ("87012345678", "KZ", "+77012345678", "KZ"),
        ("8104915112345678", "RU", "+4915112345678", "DE"),
        ("0501234567", "UA", "+380501234567", "UA"),
        ("044 338 20 14", "ua", "+380443382014", "UA"),
        ("07700 900417", "GB", "+447700900417", "GB"),
        ("(202) 555-0123", "US", "+12025550123", "US"),
        ("011 44 20 7946 0018", "US", "+442079460018", "GB"),
        ("06 6982", "IT", "", ""),
        ("06 45678901", "IT", "+390645678901", "IT"),
        ("138 1390 2746", "CN", "+8613813902746", "CN"),
        ("0812-9044-7310", "ID", "+6281290447310", "ID"),
        ("79161234567", "", MOSCOW_MOBILE, "RU"),
        ("9161234567", "", "", ""),
        ("+6834000", "RU", "+6834000", "NU"),
        ("9161234567", "XX", "", ""),
    ],
)
def test_the_country_of_the_line_reads_a_national_number(raw: str, country: str, e164: str, of: str) -> None:
    number = numbers.parse(raw, country)
    assert (number.e164, number.country) == (e164, of)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("", "anonymous"),
        ("   ", "anonymous"),
        ("anonymous", "anonymous"),
        ("Anonymous@anonymous.invalid", "anonymous"),
        ("sip:anonymous@anonymous.invalid", "anonymous"),
        ("<unknown>", "anonymous"),
        ("Withheld", "anonymous"),
        ("Private number", "anonymous"),
        ("RESTRICTED", "anonymous"),
        ("unavailable", "anonymous"),
        ("Скрытый номер", "anonymous"),
        ("0", "anonymous"),
        ("0000000000", "anonymous"),
        ("266696687", "anonymous"),
        ("101", "extension"),
        ("+101", "extension"),
        ("112", "extension"),
        ("10115", "extension"),
        ("*98", "code"),
        ("*67#", "code"),
        ("livekit-room12345678", "none"),
        ("1-800-FLOWERS", "none"),
        ("<script>alert(79161234567)</script>", "none"),
        ("1" * 16, "none"),
        ("7" * 10_000, "none"),
        ("../../79161234567x", "none"),
        ("1234567", "local"),
    ],
)
def test_what_is_no_public_number_says_why(raw: str, kind: str) -> None:
    number = numbers.parse(raw, "RU")
    assert (number.e164, number.kind) == ("", kind)


def test_nothing_at_all_is_no_number() -> None:
    assert numbers.parse(None, "RU") == numbers.Number("")


def test_a_local_number_is_told_apart_by_its_digits() -> None:
    number = numbers.parse("123-45-67", "RU")
    assert (number.key, number.tail, number.kind) == ("1234567", "1234567", "local")


def test_an_extension_is_nobody_outside() -> None:
    assert numbers.parse("1001", "AT").key == ""


def test_ten_kilobytes_are_cut() -> None:
    assert len(numbers.parse("☎" * 10_000, "RU").raw) == numbers.RAW_LIMIT


@pytest.mark.parametrize(
    ("e164", "home", "shown"),
    [
        (MOSCOW_MOBILE, "", "8 (916) 123-45-67"),
        (MOSCOW_MOBILE, "RU", "8 (916) 123-45-67"),
        (MOSCOW_MOBILE, "UA", "+7 916 123-45-67"),
        ("+380443382014", "RU", "+380 44 338 2014"),
        ("+447700900417", "", "07700 900417"),
        ("+80012345678", "RU", "+800 1234 5678"),
        ("1234567", "RU", "1234567"),
        ("+7916•••4567", "RU", "+7916•••4567"),
        ("", "RU", ""),
        ("+999", "RU", "+999"),
    ],
)
def test_a_number_is_shown_as_its_people_write_it(e164: str, home: str, shown: str) -> None:
    assert numbers.shown(e164, home) == shown


def test_a_number_knows_its_country() -> None:
    assert (numbers.country_of("+380443382014"), numbers.country_of("1234567")) == ("UA", "")


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(["RU", "US", "DE", "IT", "", "??"]))
def test_no_text_is_too_much(raw: str, country: str) -> None:
    number = numbers.parse(raw, country)
    assert len(number.raw) <= numbers.RAW_LIMIT
    assert number.e164 == "" or (number.e164[0] == "+" and 7 <= len(number.e164) - 1 <= 17)
    assert number.national.isdigit() or number.national == ""
    assert (number.tail == "") == (len(number.national) < numbers.TAIL)
    assert numbers.shown(number.e164, country).isprintable()


@settings(deadline=None)
@given(st.from_regex(r"[+0-9 ()./-]{1,25}", fullmatch=True), st.sampled_from(["RU", "US", "DE", "IT", "GB", "SH"]))
def test_what_was_understood_is_understood_again_anywhere(raw: str, country: str) -> None:
    number = numbers.parse(raw, country)
    if number.e164:
        for other in ("RU", "US", ""):
            again = numbers.parse(number.e164, other)
            assert (again.e164, again.national, again.country) == (number.e164, number.national, number.country)


@settings(deadline=None)
@given(st.from_regex(r"9[0-9]{9}", fullmatch=True), st.sampled_from(["+7", "7", "8", "", "007"]))
def test_prefixes_do_not_matter(national: str, prefix: str) -> None:
    assert numbers.parse(prefix + national, "RU").e164 == "+7" + national
