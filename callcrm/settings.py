"""Every setting, its default, and what is checked about it.

Order: defaults, then the file (config/callcrm.toml), then the environment (CALLCRM_WEB__PORT,
CALLCRM_PBX__OFFICE__HOST: two underscores for each dot), then files in the secrets folder
(pbx__office__secret). `load` tells what is wrong in one sentence (callcrm.settings_file).
"""

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from callcrm.dispositions import DispositionSettings
from callcrm.kernel.calendar import WEEKDAYS, WorkingHours, working_hours
from callcrm.vaultsettings import VaultSettings

PREFIX = "CALLCRM_"


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression ({error})") from None
    return text


def _country(text: str) -> str:
    if text and text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{text!r} is no country: write two capital letters such as RU, DE or US")
    return text


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no address: write one such as 127.0.0.1 or 10.0.0.0/8") from None
    return text


def _web_address(text: str) -> str:
    return _address(text, ("http", "https"), "https://crm.example.org")


def _push_address(text: str) -> str:
    return _address(text, ("ws", "wss"), "wss://crm.example.org/push")


def _address(text: str, schemes: tuple[str, str], example: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment):
        raise ValueError(f"{text!r} is no address that people can reach: write one such as {example}")
    return text.rstrip("/")


def _cdr_source(text: str) -> str:
    # The text itself is never said: a database's address has a password in it.
    scheme, there, _ = text.partition("://")
    wanted = 'write "/var/log/asterisk/cdr-csv/Master.csv", "sqlite:////var/log/asterisk/master.db", '
    wanted += '"postgresql://user:password@host/asterisk" or "mysql://user:password@host/asteriskcdrdb"'
    if there and scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres", "mysql", "mariadb"):
        raise ValueError(f"this is no place of a CDR that callcrm can read: {wanted}")
    if there and not urlsplit(text).path.strip("/"):
        raise ValueError(f"this names no database: {wanted}")
    return text


def _table(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?", name):
        raise ValueError(f"{name!r} is no name of a table: write one such as cdr or public.cdr")
    return name


def _time_zone(name: str) -> str:
    if name:
        working_hours({}, time_zone=name)
    return name


Regex = Annotated[str, AfterValidator(_regex)]
Country = Annotated[str, AfterValidator(_country)]
Port = Annotated[int, Field(ge=0, le=65535)]
Host = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """One table of the file: it takes no unknown key and is not changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(Section):
    """Where everything is stored."""

    url: str = Field(default="sqlite:///data/callcrm.db", repr=False, min_length=1)


class WebSettings(Section):
    """The pages and the API."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    public_url: Annotated[str, AfterValidator(_web_address)] = ""
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    session_hours: float = Field(default=12, gt=0, le=24 * 14)
    secure_cookies: bool = False


class PushSettings(Section):
    """The websocket server."""

    host: Host = "127.0.0.1"
    port: Port = 8081
    public_url: Annotated[str, AfterValidator(_push_address)] = ""
    queue: int = Field(default=256, ge=8, le=100_000)


class PbxSettings(Section):
    """One PBX and how its numbers, phones and files are to be read."""

    kind: Literal["asterisk"] = "asterisk"
    host: Host
    port: int = Field(default=5038, ge=1, le=65535)
    username: str = Field(min_length=1)
    secret: SecretStr = SecretStr("")
    tls: bool = False
    tls_ca: str = ""
    country: Country = ""
    trunks: Regex = ""
    operators: Regex = ""
    own_numbers: tuple[str, ...] = ()
    dial_context: str = "from-internal"
    dial_channel: str = "PJSIP/{extension}"
    dial_timeout_s: float = Field(default=30, gt=0, le=600)
    dial_numbers: Regex = r"^\+?[0-9]{3,15}$"
    recordings: str = ""
    recordings_from: str = ""
    cdr: Annotated[str, AfterValidator(_cdr_source)] = Field(default="", repr=False)
    cdr_table: Annotated[str, AfterValidator(_table)] = "cdr"
    cdr_timezone: Annotated[str, AfterValidator(_time_zone)] = ""
    parking_lot: str = Field(default="default", pattern=r"^[A-Za-z0-9_.-]{1,80}$")
    hold_max_s: int = Field(default=600, ge=10, le=3600)
    swap_code: str = Field(default="*4", pattern=r"^[0-9A-D*#]{1,8}$")

    @field_validator("dial_channel")
    @classmethod
    def _has_extension(cls, text: str) -> str:
        try:
            made = text.format(extension="101")
        except (KeyError, IndexError, ValueError):
            made = text
        if "{extension}" not in text or "{" in made:
            raise ValueError(f"{text!r} has no place for the extension: write one such as PJSIP/{{extension}}")
        return text


class LineSettings(Section):
    """A number that people call."""

    label: str = ""
    queue: str = ""
    language: str = ""
    calendar: str = ""


WrapUpMode = Literal["none", "optional", "timed", "required"]


class PauseSettings(Section):
    """A reason for which people may take a pause; over `limit_min` it is told (0: never)."""

    reason: str = Field(min_length=1, max_length=60)
    limit_min: float = Field(default=0.0, ge=0, le=24 * 60)


def _each_once(pauses: tuple[PauseSettings, ...]) -> tuple[PauseSettings, ...]:
    seen: set[str] = set()
    for one in pauses:
        if one.reason.casefold() in seen:
            raise ValueError(f"the reason {one.reason!r} stands there twice: each may stand there once")
        seen.add(one.reason.casefold())
    return pauses


class ShiftSettings(Section):
    """Pauses, and what follows a call where its queue says nothing else."""

    pauses: Annotated[tuple[PauseSettings, ...], AfterValidator(_each_once)] = (
        PauseSettings(reason="Break", limit_min=15),
        PauseSettings(reason="Lunch", limit_min=45),
        PauseSettings(reason="Meeting"),
        PauseSettings(reason="Training"),
    )
    wrap_up: WrapUpMode = "optional"
    wrap_up_s: float = Field(default=30, gt=0, le=3600)
    wrap_up_pauses: bool = False
    longest_h: float = Field(default=16, ge=1, le=168)


class QueueSettings(Section):
    """A queue of the PBX, and who gets its callbacks."""

    label: str = ""
    people: tuple[str, ...] = ()
    extension: str = Field(default="", pattern=r"^[0-9A-Za-z*#+_.-]{0,40}$")
    calendar: str = ""
    wrap_up: WrapUpMode | Literal[""] = ""
    wrap_up_s: float = Field(default=0, ge=0, le=3600)
    wrap_up_pauses: bool | Literal[""] = ""


_WORKDAY = ("09:00-18:00",)


class WeekSettings(Section):
    """When somebody works; a day may have several stretches, none is a day off."""

    mon: tuple[str, ...] = _WORKDAY
    tue: tuple[str, ...] = _WORKDAY
    wed: tuple[str, ...] = _WORKDAY
    thu: tuple[str, ...] = _WORKDAY
    fri: tuple[str, ...] = _WORKDAY
    sat: tuple[str, ...] = ()
    sun: tuple[str, ...] = ()


class CalendarSettings(Section):
    """When somebody works, where, and on which days nobody does."""

    time_zone: str = "UTC"
    holidays: tuple[date, ...] = ()
    hours: WeekSettings = WeekSettings()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        working_hours({}, time_zone=name)
        return name

    @field_validator("hours")
    @classmethod
    def _readable(cls, hours: WeekSettings) -> WeekSettings:
        working_hours(hours.model_dump())
        return hours

    @cached_property
    def working_hours(self) -> WorkingHours:
        """The same as the calendar counts with it."""
        return working_hours(self.hours.model_dump(), holidays=self.holidays, time_zone=self.time_zone)


class CallbackSettings(CalendarSettings):
    """What is promised to a caller who was missed; the hours are those of lines without a calendar of their own."""

    promise_min: float = Field(default=30, gt=0, le=60 * 24 * 14)
    short_abandon_s: float = Field(default=5, ge=0)
    short_abandon_tasks: bool = True
    retry_min: tuple[Annotated[float, Field(gt=0, le=60 * 24 * 14)], ...] = Field(default=(15, 60, 240), min_length=1)
    escalate_min: float = Field(default=15, ge=0, le=60 * 24 * 14)


class ClientSettings(Section):
    """How people's typing is read, and what a client may consent to."""

    country: Country = "RU"
    consents: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = (
        "Recording of calls",
        "Offers by phone",
        "Offers by mail",
        "Offers by SMS",
    )


class DiallingSettings(Section):
    """When clients may be called without a warning, by their own clock."""

    hours: str = "08:00-21:00"

    @field_validator("hours")
    @classmethod
    def _readable(cls, hours: str) -> str:
        working_hours({"mon": (hours,)})
        return hours

    @cached_property
    def week(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The same for each day of the week, as the calendar counts."""
        return working_hours(dict.fromkeys(WEEKDAYS, (self.hours,))).week


class XraySettings(Section):
    """What the sound itself tells of calls; `share` is of one processor's time."""

    share: float = Field(default=0.5, ge=0, le=1)


class JournalSettings(Section):
    """How long the PBX's raw events are kept, and the facts that browsers and programs go on from."""

    days: int = Field(default=7, ge=1, le=366)
    facts_days: int = Field(default=90, ge=1, le=3660)


class LawSettings(Section):
    """How long a pause of the recording lasts at most, how often old sounds are deleted, where person files lie."""

    pause_s: float = Field(default=120, ge=5, le=1800)
    retention_every_h: float = Field(default=1, gt=0, le=24)
    person_files: str = Field(default="data/person-files", min_length=1)
    person_files_days: int = Field(default=7, ge=1, le=90)


class LogSettings(Section):
    """What the service says about itself."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(BaseSettings):
    """Everything that can be set; made by `load`, or in tests by naming what differs."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    push: PushSettings = PushSettings()
    pbx: dict[str, PbxSettings] = {}
    lines: dict[str, LineSettings] = {}
    queues: dict[str, QueueSettings] = {}
    callbacks: CallbackSettings = CallbackSettings()
    calendars: dict[str, CalendarSettings] = {}
    clients: ClientSettings = ClientSettings()
    shift: ShiftSettings = ShiftSettings()
    dialling: DiallingSettings = DiallingSettings()
    dispositions: DispositionSettings = DispositionSettings()
    vault: VaultSettings = VaultSettings()
    xray: XraySettings = XraySettings()
    journal: JournalSettings = JournalSettings()
    law: LawSettings = LawSettings()
    log: LogSettings = LogSettings()

    @field_validator("pbx")
    @classmethod
    def _short_names(cls, named: Mapping[str, PbxSettings]) -> Mapping[str, PbxSettings]:
        # Lower case, for the environment has no other: CALLCRM_PBX__OFFICE__HOST means [pbx.office].
        for name in named:
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
                raise ValueError(
                    f"{name!r} is no name for a PBX: begin with a letter, then small letters, digits, - or _"
                )
        return named

    @model_validator(mode="after")
    def _folders_apart(self) -> "Settings":
        for name, pbx in self.pbx.items():
            if pbx.recordings_from and not pbx.recordings:
                raise ValueError(f"pbx.{name}.recordings_from is set without pbx.{name}.recordings: set both, or none")
        return self

    @model_validator(mode="after")
    def _fetched_once(self) -> "Settings":
        for name in self.vault.fetched:
            if name not in self.pbx:
                raise ValueError(f"vault.fetch.{name} names no PBX: add [pbx.{name}], or mend its name")
            if self.pbx[name].recordings:
                raise ValueError(f"pbx.{name}.recordings and vault.fetch.{name} are both set: take one of them away")
        return self

    @model_validator(mode="after")
    def _calendars_named(self) -> "Settings":
        places: dict[str, LineSettings | QueueSettings] = {f"lines.{name}": line for name, line in self.lines.items()}
        places |= {f"queues.{name}": queue for name, queue in self.queues.items()}
        for place, one in places.items():
            if one.calendar and one.calendar not in self.calendars:
                known = get_close_matches(one.calendar, self.calendars, 1)
                mend = f"did you mean {known[0]}?" if known else f"add [calendars.{one.calendar}]"
                raise ValueError(f"{place}.calendar names {one.calendar!r}, and there is no such calendar: {mend}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is said later in the module's list wins."""
        secrets = NestedSecretsSettingsSource(file_secret_settings, secrets_dir_missing="ok", secrets_prefix="")
        return init_settings, secrets, env_settings, TomlConfigSettingsSource(settings_cls)


def load(file: Path | None = None, *, secrets: Path | None = None) -> Settings:
    """The settings from `file` (config/callcrm.toml), the environment and the folder `secrets`.

    Raises StartupError: one sentence with the mend.
    """
    from callcrm import settings_file

    return settings_file.load(file, secrets=secrets)
