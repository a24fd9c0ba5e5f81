"""`callcrm demo`: the ordinary daemon on a simulated PBX, with people and past days already there."""

import os
from collections.abc import Sequence
from pathlib import Path

from callcrm.daemon import Running, end_asked, opened
from callcrm.demo.data import Login
from callcrm.demo.run import demo_site
from callcrm.kernel import logs
from callcrm.settings import Settings


async def run(data: Path, *, web_port: int, push_port: int, speed: float) -> None:
    """Until SIGTERM or SIGINT. Raises StartupError when the folder or a port cannot be had."""
    logs.configure(os.environ.get("CALLCRM_LOG__LEVEL", "warning"))
    async with (
        demo_site(data, web_port=web_port, push_port=push_port, speed=speed) as site,
        opened(reachable(site.settings)) as running,
    ):
        with end_asked() as asked:
            print(greeting(running, site.logins), flush=True)
            await asked.wait()


def reachable(settings: Settings) -> Settings:
    """The demo in a container listens where the environment says; elsewhere on this machine only."""
    web, push = os.environ.get("CALLCRM_WEB__HOST"), os.environ.get("CALLCRM_PUSH__HOST")
    changes = {
        "web": settings.web.model_copy(update={"host": web or settings.web.host}),
        "push": settings.push.model_copy(update={"host": push or settings.push.host}),
    }
    return settings.model_copy(update=changes)


def greeting(running: Running, logins: Sequence[Login]) -> str:
    """The URL, and one login for each role."""
    width = max(len(login.name) for login in logins)
    lines = [f"  {login.role:10}  {login.name:{width}}  {login.password}" for login in logins]
    return "\n".join([f"callcrm is at {running.url}", "", "  sign in as", *lines, "", "  Ctrl-C ends it."])
