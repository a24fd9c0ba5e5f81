"""Telephone numbers: what a PBX, a form or a file wrote, read as E.164 by libphonenumber.

`parse` never raises, whatever it is given. What is no telephone number of the public net
(a withheld caller, an extension, a star code, a name) has no `e164`, and `kind` says why.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

#: More than this of a raw number is never kept: it is no number, and rows are not for rubbish.
RAW_LIMIT = 200
#: A number ends alike when this many of its last digits agree.
TAIL = 7

_SHORTEST_LOCAL = 6  # below it a bare number is an extension or a service code
_SHORTEST_NATIONAL = 7
_LONGEST = 15  # ITU-T E.164
_GUESS_INTERNATIONAL = 11  # digits from which a number without plus may hold its country code

_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed or mobile",
    PhoneNumberType.TOLL_FREE: "toll free",
    PhoneNumberType.PREMIUM_RATE: "premium rate",
    PhoneNumberType.SHARED_COST: "shared cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company",
}

_IN_BRACKETS = re.compile(r"<([^<>]*)>\s*$")
_SCHEME = re.compile(r"^(?:sips?|tel|callto|h323):(?://)?", re.IGNORECASE)
_AFTER_NUMBER = re.compile(r"[@;,?].*$", re.DOTALL)
_EXTENSION = re.compile(r"(?<=\d)[\s.)-]*(?:ext|extn|доб|x|#)\.?\s*\d{1,7}$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s()\[\]./\\\u2010-\u2015\u2212_-]+")
_WORDS_FOR_WITHHELD = re.compile(
    r"^(?:anonymous|anon|withheld|restricted|private|unknown|unavailable|blocked|hidden|none|null|no\s?number"
    r"|аноним|скрыт\w*|неизвест\w*)\b",
    re.IGNORECASE,
)
_ANONYMOUS_ON_KEYS = "266696687"  # how some exchanges spell the word in digits


@dataclass(frozen=True, slots=True)
class Number:
    """One number: `raw` as it came, `e164` with plus or empty, `national` its significant digits.

    `tail` is the last seven digits (empty when there are fewer), `country` two letters.
    `kind` is what the plan says (mobile, fixed, toll free …), or why there is no E.164:
    "local" (6 to 15 digits that fit no plan), "extension", "anonymous", "code", "none".
    """

    raw: str
    e164: str = ""
    national: str = ""
    tail: str = ""
    country: str = ""
    possible: bool = False
    valid: bool = False
    kind: str = "none"

    @property
    def key(self) -> str:
        """What this caller is told apart by: E.164, else the digits of a local number, else empty."""
        return self.e164 or (self.national if self.kind == "local" else "")


def parse(raw: str | None, country: str = "") -> Number:
    """Read `raw` as a number dialled in `country` (two letters; empty: only full numbers are understood)."""
    if raw is None:
        return Number("")
    return _parse(raw[: RAW_LIMIT + 1], country.upper())


@lru_cache(maxsize=8192)
def _parse(raw: str, country: str) -> Number:
    kept = _printable(raw)[:RAW_LIMIT]
    if len(raw) > RAW_LIMIT:
        return Number(kept)
    text = _user_part(kept)
    if not text or _WORDS_FOR_WITHHELD.match(text):
        return Number(kept, kind="anonymous")
    text = _EXTENSION.sub("", text)
    compact = _SEPARATORS.sub("", text)
    plus = compact.startswith("+")
    digits = compact.lstrip("+")
    if not digits.isascii() or not digits.isdigit():
        return Number(kept, kind="code" if re.fullmatch(r"[\d*#]+", digits) else "none")
    return _read_digits(kept, digits, plus, country)


def _printable(raw: str) -> str:
    """Without control and direction marks; full-width and Arabic digits as ASCII ones."""
    folded = unicodedata.normalize("NFKC", raw)
    seen = (c for c in folded if c.isspace() or unicodedata.category(c)[0] != "C")
    return "".join(str(unicodedata.digit(c, c)) if c.isdigit() else c for c in seen).strip()


def _user_part(text: str) -> str:
    """`"Ann" <sip:+7916@host;x>` and `goip-1/7916` both come down to the number itself."""
    inner = _IN_BRACKETS.search(text)
    text = (inner.group(1) if inner else text).strip()
    text = unquote(_SCHEME.sub("", text)) if ":" in text or "%" in text else text
    text = _AFTER_NUMBER.sub("", text).strip()
    head, slash, rest = text.rpartition("/")
    return rest.strip() if slash and re.search(r"[^\W\d_]", head) else text


def _read_digits(raw: str, digits: str, plus: bool, country: str) -> Number:
    if not digits.strip("0") or digits == _ANONYMOUS_ON_KEYS:
        return Number(raw, kind="anonymous")
    if digits.startswith("00"):
        plus, digits = True, digits.lstrip("0")
    found = _in_plan(digits, plus, country)
    if found is not None:
        return _number(raw, found)
    if len(digits) < _SHORTEST_LOCAL:
        return Number(raw, national=digits, kind="extension")
    if len(digits) > _LONGEST:
        return Number(raw)
    return Number(raw, national=digits, tail=digits[-TAIL:] if len(digits) >= TAIL else "", kind="local")


def _in_plan(digits: str, plus: bool, country: str) -> PhoneNumber | None:
    """The number in its country's plan; people also write a plus before a national number."""
    if len(digits) < _SHORTEST_NATIONAL:
        return None
    if plus:
        return _tried("+" + digits, None) or _tried(digits, country, valid=True)
    found = _tried(digits, country)
    if found is None and len(digits) >= _GUESS_INTERNATIONAL:
        found = _tried("+" + digits, None, valid=True)
    return found


def _tried(text: str, country: str | None, *, valid: bool = False) -> PhoneNumber | None:
    if country is not None and country not in phonenumbers.SUPPORTED_REGIONS:
        return None
    try:
        found = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(found) != ValidationResult.IS_POSSIBLE:
        return None
    return None if valid and not phonenumbers.is_valid_number(found) else found


def _number(raw: str, found: PhoneNumber) -> Number:
    national = phonenumbers.national_significant_number(found)
    return Number(
        raw=raw,
        e164=phonenumbers.format_number(found, PhoneNumberFormat.E164),
        national=national,
        tail=national[-TAIL:] if len(national) >= TAIL else "",
        country=_region(found),
        possible=True,
        valid=phonenumbers.is_valid_number(found),
        kind=_KINDS.get(phonenumbers.number_type(found), "other"),
    )


def _region(found: PhoneNumber) -> str:
    """The number's country; of a number not in use, the main country of its code."""
    code = found.country_code or 0
    region = phonenumbers.region_code_for_number(found) or phonenumbers.region_code_for_country_code(code)
    return region if region in phonenumbers.SUPPORTED_REGIONS else ""


def country_of(e164: str) -> str:
    """Two letters of the number's country; empty when it is none or several."""
    return parse(e164).country if e164.startswith("+") else ""


def shown(e164: str, home: str = "") -> str:
    """For people: the national format of the number's own country; international when `home` is another.

    What is no E.164 number (a local one, a masked one) is given back as it is.
    """
    if not e164.startswith("+") or not e164[1:].isdigit():
        return e164
    return _shown(e164, home.upper())


@lru_cache(maxsize=8192)
def _shown(e164: str, home: str) -> str:
    found = _tried(e164, None)
    if found is None:
        return e164
    country = _region(found)
    abroad = bool(home) and country != home
    form = PhoneNumberFormat.INTERNATIONAL if abroad or not country else PhoneNumberFormat.NATIONAL
    return phonenumbers.format_number(found, form)
