"""Settings: where they come from, and one sentence with the mend for whatever is wrong."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcrm import house
from callcrm.kernel.errors import StartupError
from callcrm.settings import CalendarSettings, PbxSettings, Settings, load

PBX = '[pbx.office]\nhost = "10.0.0.5"\nusername = "callcrm"\n'


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CALLCRM_SECRETS", str(tmp_path / "secrets"))
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> Path:
        path = tmp_path / "callcrm.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_without_a_file_the_defaults_hold(write):
    settings = load()
    assert (settings.database.url, settings.web.port, settings.push.port) == ("sqlite:///data/callcrm.db", 8080, 8081)
    assert settings.pbx == {}
    assert settings.callbacks.promise_min == 30


def test_the_annotated_file_of_the_project_is_valid_and_names_every_setting():
    path = Path(__file__).parent.parent / "config" / "callcrm.toml"
    load(path, secrets=Path("/nonexistent"))
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(written) == set(Settings.model_fields)
    assert set(written["pbx"]["office"]) == set(PbxSettings.model_fields)
    assert set(written["calendars"]["shop"]) == set(CalendarSettings.model_fields)
    for section in set(Settings.model_fields) - {"pbx", "lines", "queues", "calendars"}:
        assert set(written[section]) == set(Settings.model_fields[section].annotation.model_fields), section


def test_environment_wins_over_file_and_secrets_win_over_both(write, tmp_path, monkeypatch):
    file = write(PBX + "port = 5000\ncountry = 'DE'\n")
    monkeypatch.setenv("CALLCRM_PBX__OFFICE__PORT", "5039")
    monkeypatch.setenv("CALLCRM_PBX__OFFICE__SECRET", "from environment")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pbx__office__secret").write_text("from file\n")
    (tmp_path / "secrets" / "somebody_elses").write_text("x")
    office = load(file).pbx["office"]
    assert (office.host, office.port, office.country) == ("10.0.0.5", 5039, "DE")
    assert office.secret.get_secret_value() == "from file"
    assert "from file" not in repr(office)


def test_a_list_in_the_environment_is_json(write, monkeypatch):
    monkeypatch.setenv("CALLCRM_WEB__TRUSTED_PROXIES", '["127.0.0.1", "10.0.0.0/8"]')
    assert load().web.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")


def test_hours_and_holidays_are_what_the_calendar_counts_with(write):
    text = (
        "[callbacks]\ntime_zone = 'Europe/Moscow'\nholidays = ['2026-11-23']\n[callbacks.hours]\nfri = ['09:00-18:00']"
    )
    hours = load(write(text)).callbacks.working_hours
    assert hours.due(datetime(2026, 11, 20, 14, 50, tzinfo=UTC), 30) == datetime(2026, 11, 24, 6, 20, tzinfo=UTC)


CALENDARS = """
[lines."+77272000000"]
calendar = "almaty"
queue = "shop"
[queues.sales]
calendar = "shop"
[calendars.almaty]
time_zone = "Asia/Almaty"
holidays = ["2026-11-23"]
[calendars.shop.hours]
sat = ["10:00-12:00"]
"""


def test_lines_and_queues_may_have_calendars_of_their_own(write):
    rules = house.rules(load(write(CALENDARS)))
    friday = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
    assert rules.promise(friday, called="+77272000000").starts == datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    assert rules.promise(friday, "sales").due == datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    assert rules.promise(friday, "support").due == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[lines."+1"]\ncalendar = "shp"\n[calendars.shop]\n', "did you mean shop?"),
        ('[queues.sales]\ncalendar = "shop"\n', "add [calendars.shop]"),
        ("[calendars.shop]\ntime_zone = 'Mars'\n", "no time zone"),
        ("[calendars.shop.hours]\nmon = ['9']\n", "write it as 09:00-18:00"),
        ("[callbacks]\nretry_min = []\n", "retry_min"),
    ],
)
def test_a_calendar_that_cannot_be_is_told_in_words(write, text, says):
    with pytest.raises(StartupError, match=re.escape(says)):
        load(write(text))


def test_a_queue_may_have_dispositions_of_its_own(write):
    words = load(write('[dispositions]\ndefault = ["Done"]\n[dispositions.queues]\nsales = ["Order"]\n')).dispositions
    assert (words.of("sales"), words.of("support"), words.of(None)) == (("Order",), ("Done",), ("Done",))


WRONG = [
    ("[web]\nprot = 1", "web.prot is no setting of callcrm; did you mean web.port?"),
    ("[wbe]\nport = 1", "wbe is no setting of callcrm; did you mean web?"),
    (PBX + "countri = 'RU'", "pbx.office.countri is no setting of callcrm; did you mean pbx.office.country?"),
    ('[lines."+7495"]\nlabl = "x"', 'lines."+7495".labl is no setting of callcrm; did you mean lines."+7495".label?'),
    ("promise_min = 5", "promise_min is no setting of callcrm; did you mean callbacks.promise_min?"),
    ("xyzzy = 5", "xyzzy is no setting of callcrm; take it out."),
    ('[pbx]\nhost = "a"', "pbx.host is not a table; write its settings under a heading such as [pbx.office]."),
    ('[pbx.office]\nhost = "a"', "pbx.office.username is missing; set it there or as CALLCRM_PBX__OFFICE__USERNAME"),
    ('[pbx.Office]\nhost = "a"\nusername = "u"', "'Office' is no name for a PBX"),
    (PBX + "trunks = '('", "'(' is no regular expression"),
    (PBX + "dial_channel = 'PJSIP/101'", "has no place for the extension: write one such as PJSIP/{extension}"),
    (PBX + "dial_channel = 'PJSIP/{extension}@{trunk}'", "has no place for the extension"),
    (PBX + "cdrs = ''", "pbx.office.cdrs is no setting of callcrm; did you mean pbx.office.cdr?"),
    (PBX + "cdr = 'oracle://u:p@h/x'", "pbx.office.cdr: this is no place of a CDR that callcrm can read: write"),
    (PBX + "cdr = 'mysql://u:p@host/'", "pbx.office.cdr: this names no database: write"),
    (PBX + "cdr_table = 'a; DROP'", "is no name of a table: write one such as cdr or public.cdr"),
    (PBX + "cdr_timezone = 'Mars'", "no time zone"),
    (PBX + "recordings_from = '/var'", "pbx.office.recordings_from is set without pbx.office.recordings"),
    ('[web]\nport = "abc"', "web.port must be a whole number, not 'abc'"),
    ("[web]\nport = 99999", "web.port must be less than or equal to 65535, not 99999"),
    ('[web]\ntrusted_proxies = ["proxy"]', "'proxy' is no address"),
    (
        '[web]\npublic_url = "crm"',
        "'crm' is no address that people can reach: write one such as https://crm.example.org",
    ),
    ('[push]\npublic_url = "https://a"', "write one such as wss://crm.example.org/push"),
    ('[callbacks]\ntime_zone = "Europe/Moskow"', "'Europe/Moskow' is no time zone"),
    ('[callbacks.hours]\nmon = ["9-18"]', "'9-18' on mon is no span of hours: write it as 09:00-18:00"),
    ('[callbacks]\nholidays = ["2026-13-01"]', "must be a date such as 2026-01-01"),
    ('[clients]\ncountry = "XX"', "'XX' is no country"),
    ('[log]\nlevel = "loud"', "log.level must be 'debug', 'info', 'warning' or 'error', not 'loud'"),
    ("[web\n", "is not TOML"),
    ("[web]\nprot = 1\nhots = 2", "(1 more fault after this one.)"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_mistake_in_the_file_is_one_sentence_with_the_mend(write, text, said):
    file = write(text)
    with pytest.raises(StartupError) as caught:
        load(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "CALLCRM_WEBB__PORT",
            "1",
            "CALLCRM_WEBB__PORT in the environment is no setting of callcrm; did you mean CALLCRM_WEB?",
        ),
        (
            "CALLCRM_WEB__PROT",
            "1",
            "CALLCRM_WEB__PROT in the environment: web.prot is no setting of callcrm; did you mean web.port?",
        ),
        (
            "CALLCRM_WEB__PORT",
            "abc",
            "CALLCRM_WEB__PORT in the environment: web.port must be a whole number, not 'abc'",
        ),
        ("CALLCRM_WEB__TRUSTED_PROXIES", "127.0.0.1", 'lists are written there as ["a", "b"]'),
    ],
)
def test_a_mistake_in_the_environment_is_one_sentence_that_names_the_variable(write, monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupError) as caught:
        load()
    assert said in str(caught.value)


def test_a_password_is_never_told(write):
    file = write("[pbx.office]\nhost = 'a'\nusername = 'u'\nsecret = 12345678\n")
    with pytest.raises(StartupError) as caught:
        load(file)
    assert "12345678" not in str(caught.value)


def test_a_missing_or_unreadable_file_is_said(write, tmp_path):
    with pytest.raises(StartupError, match="There is no file"):
        load(tmp_path / "nothing.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(StartupError, match="not UTF-8"):
        load(tmp_path / "binary.toml")
