"""Made-up people for the big data set: names in two scripts, organisations, numbers, notes. Seeded."""

# ruff: noqa: SIM905 - lists of words are read more easily as text

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random

_FIRST = (
    "Александр Алексей Анастасия Андрей Анна Антон Артём Борис Вадим Валентина Василий Вера Виктор Виталий "
    "Владимир Галина Георгий Дарья Денис Дмитрий Евгений Екатерина Елена Ёлка Зоя Иван Игорь Илья Инна Ирина Кирилл "
    "Константин Ксения Лариса Леонид Людмила Максим Марина Мария Михаил Надежда Наталья Никита Николай Оксана Олег "
    "Ольга Павел Пётр Раиса Роман Светлана Семён Сергей София Станислав Степан Татьяна Тимур Ульяна Фёдор Юлия Юрий Яна"
).split()
_STEMS = (
    "Иван Петр Сидор Смирн Кузнец Попов Васил Сокол Михайл Новик Фёдор Мороз Волк Алексе Лебед Семён Егор Павл Козл "
    "Степан Никола Орл Андре Макар Никит Захар Зайц Соловь Борис Яковл Григор Роман Воробь Серге Фрол Александр Дмитри "
    "Королёв Гус Кисел Ильин Максим Поляк Сорок Виноград Ковал Бел Медвед Антон Тарас Жук Баран Филипп Комар Давыд "
    "Герасим Богдан Осип Матве Савель Марк Сав Щерб Блин Колесн Карп Афанась Власов Маслов Исак Тихон Аксён Гавр Родион"
).split()
_ENDS = ("ов", "ова", "ев", "ева", "ский", "ская", "енко", "ук", "ин", "ина", "ич", "ец", "ян", "адзе")
_ENGLISH = (
    "Ann Ben Carol David Emma Frank Grace Harry Isla Jack Kate Liam Mia Noah Olivia Peter Quinn Rose Sam Tom Una "
    "Wendy Alan Zoe Budi Dewi Rahmat Siti Agus Laura Mark Nina Oscar Paul Rita Steve Tina"
).split()
_SURNAMES = (
    "Smith Jones Brown Taylor Wilson Davies Evans Thomas Johnson Roberts Walker Wright Thompson White Hughes Edwards "
    "Green Lewis Wood Harris Martin Clarke Cooper King Ward Baker Turner Hill O'Hara Santoso Lestari Wijaya Müller "
    "García Nováková Jensen Rossi Dubois Kowalski Whitfield"
).split()
_FORMS = ("ООО", "АО", "ИП", "ТОВ", "ЗАО")
_FIRMS = (
    "Север Юг Восток Запад Агро Строй Тех Мет Лес Нефть Хим Авто Мед Эко Свет Вод Тепл Мебель Текстиль Полис Гранд "
    "Альфа Омега Вектор Меридиан Горизонт Атлант Прогресс Импульс Каскад"
).split()
_TRADES = "торг снаб маш пром инвест сервис склад транс монтаж проект групп ресурс комплект поставка".split()
_JOBS = ("", "", "", "Директор", "Бухгалтер", "Закупки", "Склад", "Head of purchasing", "Инженер", "Owner", "Секретарь")
_TAGS = ("Дилер", "Опт", "Розница", "Solar", "VIP", "Dealer B", "Долг", "Гарантия")
_NOTES = (
    "Просит прайс на насосы, перезвонить после обеда.",
    "Заказ подтверждён, доставка до конца недели.",
    "Жалоба на монтаж: выезд инженера согласован.",
    "Wants instalments for six months, send the contract.",
    "Уточнить реквизиты для счёта и адрес склада.",
    "Не работает инвертор 10 кВт, гарантия до мая.",
    "Asked for the price of the new model; compares with a competitor.",
    "Перенесли встречу на четверг, взять образцы плёнки.",
    "Возврат по накладной, передано в бухгалтерию.",
    "Хочет рассрочку, нужен паспорт и справка о доходах.",
)
_CODES = "903 905 906 909 910 911 915 916 917 919 921 925 926 950 960 961 962 963 964 965 977 981 985 999".split()


@dataclass(frozen=True, slots=True)
class Person:
    """A client to be: `numbers` are (E.164, national, kind)."""

    name: str
    said_name: str
    job: str
    mail: str
    organisation: int | None
    owner: int | None
    tags: tuple[str, ...]
    note: str
    numbers: tuple[tuple[str, str, str], ...]


def company(dice: Random, n: int) -> str:
    """An organisation's name."""
    if dice.random() < 0.15:
        return f"{dice.choice(_SURNAMES)} {dice.choice(('Ltd', 'Logistics', 'Trading', '& Sons', 'GmbH'))} {n}"
    return f"{dice.choice(_FORMS)} «{dice.choice(_FIRMS)}{dice.choice(_TRADES)} {n % 977}»"


def number(dice: Random, n: int) -> tuple[str, str, str]:
    """The n-th number: each is another, spread over the plan."""
    # The multiplier and the ten million have no common divisor, so n and n + 1 lie far apart and none comes twice.
    tail = f"{n * 7_654_321 % 10_000_000:07}"
    if n % 20 == 0:
        national = f"{20 + n // 10_000_000}{n * 7_654_321 % 100_000_000:08}"
        return f"+44{national}", national, "fixed"
    national = _CODES[n // 10_000_000 % len(_CODES) if n >= 10_000_000 else dice.randrange(len(_CODES))] + tail
    return f"+7{national}", national, "mobile"


def note(dice: Random) -> str:
    """What somebody may have written."""
    first = dice.choice(_NOTES)
    return f"{first} {dice.choice(_NOTES)}" if dice.random() < 0.3 else first


def people(dice: Random, count: int, organisations: int, owners: list[int]) -> Iterator[Person]:
    """So many clients; a fifth of them have no name yet."""
    taken = 0
    for n in range(count):
        first, surname, latin = _name(dice)
        known = dice.random() < 0.8
        several = 1 if dice.random() < 0.62 else 2 if dice.random() < 0.8 else 3
        numbers = tuple(number(dice, taken + k) for k in range(several))
        taken += several
        yield Person(
            name=f"{first} {surname}" if known else "",
            said_name="" if known or dice.random() < 0.7 else f"{surname.upper()} {first.upper()}",
            job=dice.choice(_JOBS) if known else "",
            mail=f"{latin}{n}@{dice.choice(('example.com', 'mail.example', 'example.org'))}" if n % 3 == 0 else "",
            organisation=_rank(dice, organisations) if known and dice.random() < 0.45 else None,
            owner=dice.choice(owners) if dice.random() < 0.4 else None,
            tags=tuple(dice.sample(_TAGS, dice.randrange(1, 3))) if dice.random() < 0.25 else (),
            note=note(dice) if dice.random() < 0.05 else "",
            numbers=numbers,
        )


def _name(dice: Random) -> tuple[str, str, str]:
    if dice.random() < 0.2:
        first, surname = dice.choice(_ENGLISH), dice.choice(_SURNAMES)
        return first, surname, f"{first[0]}.{surname}".lower().replace("'", "").encode("ascii", "ignore").decode()
    return dice.choice(_FIRST), dice.choice(_STEMS) + dice.choice(_ENDS), f"user{dice.randrange(10_000)}"


def _rank(dice: Random, many: int) -> int:
    """One of 1 to `many`, the first ones much more often: some organisations have hundreds of people."""
    return min(many, 1 + int(many * dice.random() ** 2.5))


class Weighted:
    """Chooses places 0 to n - 1, each as often as its weight says."""

    def __init__(self, weights: list[float]) -> None:
        self._sums = list(accumulate(weights))

    def choose(self, dice: Random) -> int:
        """A place."""
        return bisect(self._sums, dice.random() * self._sums[-1])
