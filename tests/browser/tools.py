"""The browser of the tests, and what drives it: whether they are here, and how to get them."""

import shutil
import subprocess
import sys

from tests import apt

NAMES = ("chromium", "chromium-browser", "google-chrome")
#: What playwright's own Node needs of the machine; a minimal Debian lacks it, and Chromium does not bring it.
DRIVER_NEEDS = "libatomic1"


def chromium() -> str | None:
    """The browser's file."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def lacking() -> str:
    """Why no browser can be driven here, as a sentence with the mend; empty when one can."""
    if chromium() is None:
        return "There is no Chromium here; on Debian: apt install chromium"
    driver = [sys.executable, "-m", "playwright", "--version"]
    done = subprocess.run(driver, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return f"Chromium cannot be driven here ({why}); on Debian: apt install {DRIVER_NEEDS}"
    return ""


def fetch() -> str:
    """Install what is missing, as root; returns what is missing still."""
    reason = lacking()
    if reason and apt.may_install():
        print("setting up: Chromium for the browser tests", flush=True)
        apt.install(("chromium", DRIVER_NEEDS))
        reason = lacking()
    return reason
