"""The commands. Each imports what it needs when it runs, so that `--help` and `replay` are quick.

Exit: 0 done, 1 a failure told in one sentence, 2 wrong usage.
"""

import asyncio
import re
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from callcrm.kernel.errors import CallcrmError

app = typer.Typer(
    name="callcrm",
    help="The call desk beside an existing Asterisk: call log, client cards, screen-pops, callbacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
user_app = typer.Typer(help="Accounts: add one, give a token, set a password.", no_args_is_help=True)
app.add_typer(user_app, name="user", rich_help_panel=None)

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; else CALLCRM_CONFIG, else config/callcrm.toml.")
]


class Role(StrEnum):
    """Which parts of the daemon run in this process."""

    ALL = "all"
    LISTENER = "listener"
    WEB = "web"
    PUSH = "push"
    WORKER = "worker"


class AccountRole(StrEnum):
    """What an account may do."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class What(StrEnum):
    """What can be taken out into a file."""

    CLIENTS = "clients"


def main() -> NoReturn:
    """Runs the command that the arguments name."""
    try:
        app()
    except CallcrmError as error:
        print(f"callcrm: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _do(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@app.command()
def demo(
    data: Annotated[Path, typer.Option(help="Where the demo keeps its database and recordings.")] = Path("data/demo"),
    web_port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the pages.")] = 8080,
    push_port: Annotated[int, typer.Option(min=0, max=65535, help="The port of the push server.")] = 8081,
    speed: Annotated[float, typer.Option(min=0.1, max=20, help="How fast the calls are played.")] = 1.0,
) -> None:
    """A call centre on a simulated PBX: prints the URL and one login per role once it accepts requests."""
    from callcrm import demonstration

    _do(demonstration.run(data, web_port=web_port, push_port=push_port, speed=speed))


@app.command()
def run(
    config: Config = None, role: Annotated[Role, typer.Option(help="Which parts run in this process.")] = Role.ALL
) -> None:
    """The daemon: listens to the PBXes, serves pages, API and push, and does what is due."""
    from callcrm import daemon
    from callcrm.settings_file import load

    _do(daemon.run(load(config), role.value))


@app.command()
def check(config: Config = None) -> None:
    """Tries the settings, the database, every PBX, its recordings and its CDR; one line a finding, with the mend."""
    from callcrm import check as checking

    findings = 0

    async def tell() -> None:
        nonlocal findings
        async for finding in checking.check(config):
            findings += not finding.well
            print(finding)

    _do(tell())
    if findings:
        raise CallcrmError(f"{findings} thing{'s' if findings > 1 else ''} to mend.")


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Captured streams: .raw, .raw.gz, .jsonl or .jsonl.gz.")],
    trunks: Annotated[str, typer.Option(metavar="REGEX", help="Endpoints that are trunks, e.g. 'PJSIP/trunk.*'.")] = "",
    operators: Annotated[str, typer.Option(metavar="REGEX", help="Endpoints of operators, e.g. 'PJSIP/1..'.")] = "",
    json: Annotated[bool, typer.Option("--json", help="One object per file on one line.")] = False,
    classes: Annotated[
        str,
        typer.Option(metavar="LIST", help="Read as a user of these classes would see it: system,call,agent,cdr,user."),
    ] = "",
) -> None:
    """Turns captured AMI streams into calls, with no database and no PBX."""
    from callcrm import replaying

    for name, expression in (("--trunks", trunks), ("--operators", operators)):
        try:
            re.compile(expression)
        except re.error as error:
            raise typer.BadParameter(f"{expression!r} is no regular expression: {error}", param_hint=name) from None
    replaying.show(files, trunks=trunks, operators=operators, classes=classes, as_json=json)


@app.command()
def reconcile(
    pbx: Annotated[str, typer.Option(metavar="NAME", help="Only this PBX.")] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="From then on, e.g. 2026-11-21 or 2026-11-21T09:00.")] = "",
    config: Config = None,
) -> None:
    """Fills gaps from the PBX's raw events and its own CDR; prints what was missing and is now there."""
    from callcrm import reconciling
    from callcrm.settings_file import load

    _do(reconciling.reconcile(load(config), pbx=pbx, since=since))


@user_app.command("add")
def user_add(  # noqa: PLR0917 - typer reads the parameters
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[AccountRole, typer.Option(help="What the account may do.")],
    extension: Annotated[
        list[str] | None, typer.Option(metavar="NNN", help="A phone of his; PBX:NNN where there are several PBXes.")
    ] = None,
    full_name: Annotated[str, typer.Option(help="The name that others see.")] = "",
    team: Annotated[str, typer.Option(help="A supervisor with a team sees that team's calls.")] = "",
    config: Config = None,
) -> None:
    """Opens an account; asks for the password (or reads it from the standard input)."""
    from callcrm import commands
    from callcrm.settings_file import load

    settings = load(config)
    phones = commands.phones(settings, extension or [])
    password = commands.ask_password()
    values = {"role": role.value, "full_name": full_name, "team": team}
    _do(commands.add_user(settings, name, password, phones=phones, **values))


@user_app.command("token")
def user_token(
    name: Annotated[str, typer.Argument(help="Whose token it is.")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    config: Config = None,
) -> None:
    """Makes an API token and prints it, once."""
    from callcrm import commands
    from callcrm.settings_file import load

    _do(commands.add_token(load(config), name, label))


@user_app.command("password")
def user_password(
    name: Annotated[str, typer.Argument(help="Whose password it is.")],
    config: Config = None,
) -> None:
    """Sets a password and signs the account out everywhere."""
    from callcrm import commands
    from callcrm.settings_file import load

    settings = load(config)
    _do(commands.set_password(settings, name, commands.ask_password()))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file; its first row names the columns.")],
    config: Config = None,
) -> None:
    """Brings clients in; who is there already keeps his card and gets what it lacked."""
    from callcrm import commands
    from callcrm.settings_file import load

    _do(commands.import_file(load(config), file))


@app.command()
def export(
    what: Annotated[What, typer.Argument(help="What to take out.")],
    file: Annotated[Path, typer.Argument(help="A .csv or .xlsx file to write.")],
    config: Config = None,
) -> None:
    """Takes clients out into a file that `import` understands; an audit row tells it."""
    from callcrm import commands
    from callcrm.settings_file import load

    _do(commands.export_file(load(config), what.value, file))


@app.command()
def migrate(config: Config = None) -> None:
    """Brings the database to what this version needs; `run` does so by itself."""
    from callcrm import commands
    from callcrm.settings_file import load

    _do(commands.migrate(load(config)))


@app.command("vault-key")
def vault_key() -> None:
    """Makes a key that encrypts recordings; keep it where the backups are not (docs/admin.md)."""
    from recordings.vault.sealing import make_key

    print(make_key())


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write.")], config: Config = None) -> None:
    """Writes the whole database into one file, while the desk works."""
    from callcrm import commands
    from callcrm.settings_file import load

    _do(commands.backup(load(config), file))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
    config: Config = None,
) -> None:
    """Reads a backup into the database (stop the daemon first)."""
    from callcrm import commands
    from callcrm.settings_file import load

    _do(commands.restore(load(config), file, replace=replace))
