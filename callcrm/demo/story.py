"""The demo's cast: who works at North Garden, who calls, and what happens how often. All of them are invented."""

from dataclasses import dataclass
from typing import Literal

from ami.simulator import Operator, Person, Queue, Story

PBX = "north"
COUNTRY = "RU"
OFFICE = "74950000000"


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody with an account; `extension` is the phone that he sits at."""

    name: str
    full_name: str
    role: str
    extension: str = ""
    shown: bool = False

    @property
    def password(self) -> str:
        """The demo's passwords are no secret."""
        return f"garden-{self.name}"


#: The one of each role with `shown` is printed for visitors.
COLLEAGUES = (
    Colleague("olha", "Olha Marchenko", "operator", "101", shown=True),
    Colleague("timur", "Timur Aliyev", "operator", "102"),
    Colleague("ines", "Inês Carvalho", "operator", "103"),
    Colleague("jonas", "Jonas Lindqvist", "operator", "104"),
    Colleague("maria", "Мария Соколова", "operator", "105"),
    Colleague("pavel", "Pavel Novák", "operator", "106"),
    Colleague("vera", "Vera Hoffmann", "supervisor", shown=True),
    Colleague("admin", "Adam Min", "admin", shown=True),
)

#: Queue → its label and the colleagues who are in it.
QUEUES = {
    "sales": ("Sales", ("olha", "timur", "ines", "pavel")),
    "support": ("Support", ("olha", "jonas", "maria", "pavel")),
}

#: What follows a call of each queue.
WRAP_UPS: dict[str, Literal["timed", "optional"]] = {"sales": "timed", "support": "optional"}

#: Numbers of the office → label and queue.
LINES = {
    "+74950000001": ("Sales", "sales"),
    "+74950000002": ("Support", "support"),
    "+74950000003": ("Menu", ""),
    "+74950000004": ("Old shop, closed", ""),
}


OLD_SHOP = "+74950000004"


@dataclass(frozen=True, slots=True)
class Company:
    """An organisation; its switchboard number may be anybody's there."""

    name: str
    numbers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""


COMPANIES = (
    Company("ООО «Ромашка»", ("+7 495 123-45-67",), ("wholesale",), "Monthly order on the first Monday."),
    Company('Кафе "Аврора"', ("+7 812 305-00-18",), ("terrace",)),
    Company("Nordic Garden Supply AB", ("+46 8 505 120 30",), ("supplier",)),
    Company("Школа № 57", (), ("public",), "Pays by bank transfer only, needs an invoice with a stamp."),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A client with a card: `number` as people write it, `owner` a colleague's name, `company` by its place above."""

    name: str
    number: str
    owner: str = ""
    company: int | None = None
    job: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""


CLIENTS = (
    Known(
        "Анна Ковалёва",
        "+7 916 320-11-02",
        "olha",
        0,
        "Purchasing",
        ("wholesale",),
        "Prefers to be called before noon.",
    ),
    Known("Борис Лаптев", "+7 926 415-09-33", "timur", tags=("greenhouse",)),
    Known("Clara Weiss", "+49 30 9018 2001", "olha", tags=("export",), note="Speaks German and English."),
    Known("Дмитрий Орлов", "+7 903 771-20-45", "jonas", 1, "Owner", ("terrace",)),
    Known("Elena Petrova", "+7 985 200-14-14", tags=("repairs",)),
    Known("Фарид Гусейнов", "+7 917 508-33-21", "maria"),
    Known("Галина Юрьева", "+7 915 044-18-70", "ines", 3, "Head of supplies", ("public",)),
    Known("Henrik Olsen", "+46 8 505 120 31", "pavel", 2, "Sales", ("supplier",)),
    Known(
        "Игорь Власов",
        "+7 962 930-55-02",
        "olha",
        tags=("complaint",),
        note="Two chairs came broken in spring: be kind.",
    ),
    Known("Julia O'Neill", "+44 20 7946 0718", tags=("export",)),
    Known("Ксения Белова", "+7 906 212-77-40", "timur"),
    Known("Леонид Рощин", "+7 909 651-28-83", "jonas", tags=("greenhouse", "VIP")),
    Known("Марина Штерн", "+7 499 130-22-06", "maria", 0, "Accounts"),
    Known("Тарас Шевчук", "+380 44 279 30 11", "olha", tags=("export",)),
)

#: People in the order of how often they call: number as the provider sends it, and what their line says.
PEOPLE = (
    Person("79163201102", weight=3),
    Person("79264150933", weight=2),
    Person("+493090182001", "Clara Weiss", weight=2),
    Person("79037712045", weight=2),
    Person("79852001414", weight=2),
    Person("79175083321"),
    Person("79150441870"),
    Person("+46850512031", "Olsen, Henrik"),
    Person("79629305502", weight=2),
    Person("+442079460718", "J O'NEILL"),
    Person("79062127740"),
    Person("79096512883", weight=2),
    Person("74991302206"),
    Person("+380442793011", "Тарас Шевчук"),
    Person("74951234567", "ООО «Ромашка»", weight=2),
    Person("78123050018", 'Кафе "Аврора"'),
    Person("79211843365"),
    Person("79535500741"),
    Person("79788801256"),
    Person("78432901177", "КАЗАНЬ ТЕПЛИЦЫ"),
    Person("79671130094"),
    Person("73433178820", "Урал-Сад"),
    Person("79028745519"),
    Person("77272583344"),
    Person("79104448063"),
    Person("79219907725"),
)

#: What may be chosen after a call of the sales queue, in two levels, with the steps that follow; support has the usual.
DISPOSITIONS = (
    "Resolved",
    {"group": "Sale", "words": ["Order", {"word": "Quote to send", "next": "task"}, "Thinks it over"]},
    {"word": "Call again", "next": "callback"},
    {"group": "Delivery", "words": ["Moved", "Where is it", {"word": "Damaged", "next": "task"}]},
    "Complaint",
    "Handed on",
    "Wrong number",
)

#: What operators wrote after calls, and the disposition they chose.
NOTES = (
    ("Delivery moved to Friday, after two o'clock.", "Resolved"),
    ("Asks for a quote: two greenhouses 3 × 6, with foundation. Send by mail.", "Call again"),
    ("Chair with a broken leg; photo will come by mail. Replacement at no charge.", "Complaint"),
    ("Ordered the large terrace table, anthracite.\nDelivery to the summer house, gate code 14.", "Order"),
    ("Wanted to know where the parcel is: with the carrier since Tuesday.", "Resolved"),
    ("Invoice without VAT needed. Passed on to accounts.", "Handed on"),
    ("Спрашивал про теплицу с автополивом, перезвонить в четверг.", "Call again"),
    ("Перенесли доставку на субботу, до обеда.", "Resolved"),
    ("Looking for the pharmacy next door.", "Wrong number"),
)

CALLS = {
    "queue_answered": 4.0,
    "queue_operator_hangs_up": 3.0,
    "queue_no_answer_then_second": 2.0,
    "queue_abandoned": 1.6,
    "queue_all_busy_then_abandoned": 0.6,
    "direct_answered": 3.0,
    "direct_named_caller": 1.5,
    "direct_hold": 1.4,
    "direct_no_answer": 1.0,
    "direct_busy": 0.4,
    "direct_voicemail": 0.4,
    "direct_anonymous": 0.6,
    "direct_anonymous_missed": 0.3,
    "closed": 0.4,
    "ivr_hangup": 0.5,
    "out_answered": 1.4,
    "out_no_answer": 0.6,
    "out_busy": 0.4,
    "internal_answered": 0.4,
    "transfer_blind": 0.8,
    "transfer_blind_from_queue": 0.7,
    "transfer_attended": 0.8,
    "park_and_retrieve": 0.6,
    "pickup_directed_from_queue": 0.5,
}

#: So that within half a minute there are calls, a missed one and one with a name.
OPENING = ("queue_abandoned", "direct_named_caller", "direct_no_answer", "out_answered", "direct_anonymous_missed")


def direct_lines() -> dict[str, tuple[str, str]]:
    """The number that rings one colleague's phone alone, with its label and no queue."""
    return {f"+7495{int(one.extension):07}": (f"{one.full_name}, direct", "") for one in COLLEAGUES if one.extension}


def people_of(queue: str) -> tuple[str, ...]:
    """The extensions of a queue's members."""
    return tuple(one.extension for one in COLLEAGUES if one.name in QUEUES[queue][1])


def a_story() -> Story:
    """What the simulated PBX plays: short calls, and one for the shown operator every ten to fifteen seconds."""
    shown = next(one for one in COLLEAGUES if one.shown and one.extension)
    return Story(
        operators=tuple(Operator(one.extension, one.full_name) for one in COLLEAGUES if one.extension),
        queues=(
            Queue("sales", people_of("sales")),
            Queue("support", people_of("support"), "rrmemory", local=True),
        ),
        people=PEOPLE,
        calls=CALLS,
        opening=OPENING,
        favourite=shown.extension,
        rest_s=2.5,
        talk=(1.0, 2.2),
        wait=(0.9, 1.3),
    )
