"""A task in one line: what is understood is taken out of it, what is not stays in the title."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.tasks import repeating
from callcrm.tasks.oneline import understand

SATURDAY = datetime(2026, 11, 21, 12, 40)


@pytest.mark.parametrize(
    ("line", "title", "due"),
    [
        ("send the offer tomorrow 10:00", "Send the offer", "2026-11-22 10:00"),
        ("send offer to Sergey on fri 3pm", "Send offer to Sergey", "2026-11-27 15:00"),
        ("прислать счёт в пятницу", "Прислать счёт", "2026-11-27 09:00"),
        ("31.12 итоги", "Итоги", "2026-12-31 09:00"),
        ("отчёт к 15 декабря", "Отчёт", "2026-12-15 09:00"),
        ("pay by 3 March 18:30", "Pay", "2027-03-03 18:30"),
        ("pay 2027-01-10", "Pay", "2027-01-10 09:00"),
        ("look at it at 9", "Look at it", "2026-11-22 09:00"),
        ("look at 14:00", "Look", "2026-11-21 14:00"),
        ("в среду утром созвон", "Созвон", "2026-11-25 09:00"),
        ("завтра в 7 вечера ужин", "Ужин", "2026-11-22 19:00"),
        ("in 2 hours check the line", "Check the line", "2026-11-21 14:40"),
        ("через 30 минут проверить линию", "Проверить линию", "2026-11-21 13:10"),
        ("через неделю проверить", "Проверить", "2026-11-28 09:00"),
        ("послезавтра", "", "2026-11-23 09:00"),
        ("на следующей неделе договор", "Договор", "2026-11-23 09:00"),
        ("report today", "Report", "2026-11-21 18:00"),
        ("sort the papers", "Sort the papers", None),
        ("version 1.2.3 for 10.20.30.40", "Version 1.2.3 for 10.20.30.40", None),
        ("meet at 25", "Meet at 25", None),
        ("31.02 nothing", "31.02 nothing", None),
        ("buy 10 cables", "Buy 10 cables", None),
    ],
)
def test_day_and_time_are_taken_out_of_the_line(line: str, title: str, due: str | None) -> None:
    found = understand(line, SATURDAY)
    assert (found.title, found.due) == (title, datetime.fromisoformat(due) if due else None)
    assert (found.kind, found.repeat) == ("task", "")


@pytest.mark.parametrize(
    ("line", "whom", "due"),
    [
        ("call back Anna tomorrow 10:00", "Anna", "2026-11-22 10:00"),
        ("Перезвонить Марине завтра в 10", "Марине", "2026-11-22 10:00"),
        ("call back +7 916 123-45-67 at 15:30", "+7 916 123-45-67", "2026-11-21 15:30"),
        ("call Anna", "Anna", None),
    ],
)
def test_whom_to_call_back_is_understood(line: str, whom: str, due: str | None) -> None:
    found = understand(line, SATURDAY)
    assert (found.kind, found.whom, found.due) == ("callback", whom, datetime.fromisoformat(due) if due else None)


@pytest.mark.parametrize(
    ("line", "rule", "due"),
    [
        ("every monday at 9 report", "FREQ=WEEKLY;BYDAY=MO", "2026-11-23 09:00"),
        ("каждую среду в 11 отчёт", "FREQ=WEEKLY;BYDAY=WE", "2026-11-25 11:00"),
        ("по будням 9:30 проверить", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-11-23 09:30"),
        ("every weekday look", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-11-23 09:00"),
        ("каждый день в 18 закрыть кассу", "FREQ=DAILY", "2026-11-21 18:00"),
        ("rent every month 1.12", "FREQ=MONTHLY", "2026-12-01 09:00"),
    ],
)
def test_repetition_is_understood(line: str, rule: str, due: str) -> None:
    found = understand(line, SATURDAY)
    assert (found.repeat, found.due) == (rule, datetime.fromisoformat(due))
    assert repeating.checked(found.repeat) == rule


SAID = "call back Anna tomorrow at 10:00 every monday in 2 hours 31.12 31.02 через неделю в пятницу 2026-13-40 am"
WORDS = st.sampled_from(SAID.split())
LINES = st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=12).map(" ".join))


@given(LINES, st.datetimes(datetime(2000, 1, 1), datetime(2300, 1, 1)))
def test_any_line_is_read_and_no_unknown_word_is_lost(line: str, now: datetime) -> None:
    found = understand(f"{line} zebra", now)
    assert "zebra" in f"{found.title} {found.whom}".casefold()
    assert found.due is None or found.due.tzinfo is None
    assert not found.repeat or repeating.checked(found.repeat)
