"""Every setting, its default, and what is checked about it.

Order: defaults, then the file (config/callcrm.toml), then the environment (CALLCRM_WEB__PORT,
CALLCRM_PBX__OFFICE__HOST: two underscores for each dot), then files in the secrets folder
(pbx__office__secret). `load` tells what is wrong in one sentence (callcrm.settings_file).
"""

import re
from collections.abc import Mapping
from datetime import date
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

from callcrm.kernel.calendar import WorkingHours, working_hours

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


class QueueSettings(Section):
    """A queue of the PBX, and who gets its callbacks."""

    label: str = ""
    people: tuple[str, ...] = ()


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


class CallbackSettings(Section):
    """What is promised to a caller who was missed."""

    promise_min: float = Field(default=30, gt=0, le=60 * 24 * 14)
    time_zone: str = "UTC"
    holidays: tuple[date, ...] = ()
    short_abandon_s: float = Field(default=5, ge=0)
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


class ClientSettings(Section):
    """How people's typing is read."""

    country: Country = "RU"


class DispositionSettings(Section):
    """What an operator may choose after a call; `queues` has other words for single queues."""

    default: tuple[str, ...] = ("Resolved", "Call again", "Handed on", "Order", "Complaint", "Wrong number")
    queues: dict[str, tuple[str, ...]] = {}

    def of(self, queue: str | None) -> tuple[str, ...]:
        """The words for a call of `queue`."""
        return self.queues.get(queue or "", self.default)


class JournalSettings(Section):
    """How long the PBX's raw events are kept."""

    days: int = Field(default=7, ge=1, le=366)


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
    clients: ClientSettings = ClientSettings()
    dispositions: DispositionSettings = DispositionSettings()
    journal: JournalSettings = JournalSettings()
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
