"""`callcrm check`: tries what the settings name, and tells each finding in one line with its mend.

At each PBX it logs in as the service does, asks what the user may, and lets the PBX call a place that
does not exist (two Local channels, at once over): what that makes the PBX tell shows which classes of
events come, whether channelvars is set, and whether CDRs are told. It leaves two failed rows in the CDR.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select

from ami import actions
from ami.actions import Action
from ami.errors import AmiError
from ami.messages import Message, first
from ami.rights import survey
from ami.session import LoginFailed, Session
from callcrm import cdrcheck, vaultcheck
from callcrm.accounts.tables import Phone, User
from callcrm.kernel.database import Database
from callcrm.kernel.errors import StartupError
from callcrm.settings import PbxSettings, Settings
from callcrm.settings_file import load
from callcrm.telephony.asterisk_listener import ami_settings

OLDEST = 16
TRIAL_S = 1.5
#: A place that no dialplan has: the call ends before it begins.
_TRIAL = Action(
    "Originate",
    (
        ("ActionID", "callcrm-check"),
        ("Channel", "Local/s@callcrm-check-calls-nowhere"),
        ("Application", "Wait"),
        ("Data", "0"),
        ("Async", "true"),
    ),
)


class Grade(Enum):
    """How much a finding matters."""

    OK = "ok"
    HINT = "hint"
    MEND = "MEND"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about `subject`; `words` say the mend where one is needed."""

    grade: Grade
    subject: str
    words: str

    @property
    def well(self) -> bool:
        """Whether the service can work with it."""
        return self.grade is not Grade.MEND

    def __str__(self) -> str:
        return f"{self.grade.value:5} {self.subject}: {' '.join(self.words.split())}"


def ok(subject: str, words: str) -> Finding:
    return Finding(Grade.OK, subject, words)


def hint(subject: str, words: str) -> Finding:
    return Finding(Grade.HINT, subject, words)


def mend(subject: str, words: str) -> Finding:
    return Finding(Grade.MEND, subject, words)


async def check(file: Path | None) -> AsyncIterator[Finding]:
    """Everything, in the order in which one would mend it."""
    try:
        settings = load(file)
    except StartupError as error:
        yield mend("settings", str(error))
        return
    yield ok("settings", f"{len(settings.pbx)} PBX, {len(settings.lines)} lines, {len(settings.queues)} queues")
    async for finding in _database(settings):
        yield finding
    if not settings.pbx:
        yield mend("PBX", "none is set; write one as [pbx.NAME] with host, username and secret")
    for name, pbx in settings.pbx.items():
        async for finding in _pbx(name, pbx, settings):
            yield finding
        for finding in () if name in settings.vault.fetched else recordings(name, pbx):
            yield finding
        told = await cdrcheck.finding(name, pbx)
        yield Finding(Grade(told.grade), told.subject, told.words)
    async for found in vaultcheck.findings(settings):
        yield Finding(Grade(found.grade), found.subject, found.words)
    for finding in _addresses(settings):
        yield finding


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    try:
        database = await Database.open(settings.database.url, migrate=False)
    except StartupError as error:
        yield mend("database", str(error))
        return
    try:
        async with database.transaction() as db:
            await db.rollback()
        yield ok("database", f"{database.place} answers and can be written")
        async with database.read() as db:
            accounts = await db.scalar(select(func.count()).select_from(User).where(User.active))
            phones = set(await db.scalars(select(Phone.pbx).distinct()))
        if not accounts:
            yield mend("accounts", "there is none; add one with: callcrm user add NAME --role admin")
        for name in settings.pbx.keys() - phones if accounts else ():
            yield hint(
                "accounts", f"nobody has a phone at {name}, so no screen pops there: callcrm user add … --extension"
            )
    finally:
        await database.close()


async def _pbx(name: str, pbx: PbxSettings, settings: Settings) -> AsyncIterator[Finding]:
    subject = f"PBX {name}"
    heard: list[Message] = []
    try:
        session = await Session.open(ami_settings(name, pbx), lambda _at, message: heard.append(message), None)
    except (LoginFailed, StartupError) as failed:
        yield mend(subject, str(failed))
        return
    watching = asyncio.create_task(session.watch(), name=f"check {name}")
    try:
        yield ok(subject, f"{pbx.username} is let in at {pbx.host}:{pbx.port}")
        async for finding in _rights(subject, session):
            yield finding
        async for finding in _queues(subject, session, settings):
            yield finding
        async for finding in _trial(subject, session, heard):
            yield finding
    except AmiError as error:
        yield mend(subject, str(error))
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        session.close()


async def _rights(subject: str, session: Session) -> AsyncIterator[Finding]:
    rights = await survey(session)
    major = rights.version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        yield mend(subject, f"Asterisk {rights.version} is too old; callcrm needs {OLDEST} or newer")
    elif rights.version:
        yield ok(subject, f"Asterisk {rights.version}")
    for missing, lacking in zip(rights.missing, rights.lacking, strict=True):
        yield mend(subject, f"the user lacks {missing} ({lacking}); add it in manager.conf, then `manager reload`")
    if not rights.missing:
        yield ok(subject, "the user may do everything that the desk asks for")


async def _queues(subject: str, session: Session, settings: Settings) -> AsyncIterator[Finding]:
    try:
        found = await session.ask(actions.queue_status(), 5)
    except AmiError as error:
        yield hint(subject, f"queues cannot be seen: {error}")
        return
    names = {first(one, "Queue") for one in found if first(one, "Event") == "QueueParams"}
    yield ok(subject, f"queues: {', '.join(sorted(names)) or 'none'}")
    for name in sorted(settings.queues.keys() - names) if len(settings.pbx) == 1 else ():
        yield hint(subject, f"[queues.{name}] is set, but the PBX has no such queue; compare the spelling")


async def _trial(subject: str, session: Session, heard: list[Message]) -> AsyncIterator[Finding]:
    del heard[:]
    with suppress(AmiError):
        await session.ask(_TRIAL, 5)
        await asyncio.sleep(TRIAL_S)
    ours = [message for message in heard if "callcrm-check" in str(message)]
    kinds = {first(message, "Event") for message in ours}
    if "Newchannel" not in kinds:
        yield mend(
            subject, "no events of calls come; add call to read= of the user in manager.conf, then `manager reload`"
        )
        return
    yield ok(subject, "events of calls come")
    for finding in _luxuries(subject, ours, kinds):
        yield finding


def _luxuries(subject: str, ours: list[Message], kinds: set[str]) -> Iterator[Finding]:
    """What makes it better, though it works without."""
    variables = str([message.get("ChanVariable") for message in ours])
    if "MIXMONITOR_FILENAME" in variables:
        yield ok(subject, "channelvars tells the names of recordings")
    elif "Cdr" in kinds:
        yield hint(
            subject,
            "channelvars = MIXMONITOR_FILENAME is not set; names of recordings come late, with the CDR, or are asked",
        )
    else:
        yield hint(
            subject, "set channelvars = MIXMONITOR_FILENAME in manager.conf; names of recordings must be asked now"
        )
    if "Cdr" in kinds:
        yield ok(subject, "CDRs are told")
    else:
        yield hint(
            subject,
            "no CDR came: enable cdr_manager.conf and add cdr to read=, to fill gaps and find recordings by them",
        )


def recordings(name: str, pbx: PbxSettings) -> Iterator[Finding]:
    """The folder of recordings: there, readable, and with something in it."""
    subject = f"recordings of {name}"
    if not pbx.recordings:
        yield hint(subject, f"no folder is set; set pbx.{name}.recordings to hear calls")
        return
    folder = Path(pbx.recordings)
    if not folder.is_dir():
        yield mend(subject, f"{folder} is no folder here; mount it, or set pbx.{name}.recordings to where it is")
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        yield mend(
            subject, f"{folder} cannot be read by the user that runs this (uid {os.getuid()}); give it the right"
        )
        return
    files = [path for path in islice(folder.rglob("*"), 5000) if path.is_file()]
    locked = next((path for path in files if not os.access(path, os.R_OK)), None)
    if locked:
        yield mend(
            subject, f"{locked.relative_to(folder)} cannot be read (uid {os.getuid()}); add the user to its group"
        )
    else:
        yield ok(subject, f"{folder} can be read" + ("" if files else "; it is empty so far"))


def _addresses(settings: Settings) -> Iterator[Finding]:
    """Addresses that do not fit together."""
    outside = [
        part for part in ("web", "push") if getattr(settings, part).host not in ("127.0.0.1", "localhost", "::1")
    ]
    if settings.web.public_url.startswith("https:") and not settings.web.secure_cookies:
        yield mend("web", "people come by https, but web.secure_cookies is false; set it to true")
    if settings.web.public_url.startswith("https:") and not settings.push.public_url.startswith("wss:"):
        yield mend("push", "a page by https needs push.public_url = 'wss://…/push'; set it to what the proxy serves")
    if outside and not settings.web.public_url.startswith("https:"):
        yield hint(
            "web", f"{' and '.join(outside)} can be reached from other machines without TLS; see config/nginx.conf"
        )
