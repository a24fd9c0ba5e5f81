"""The built files by their plain names, through the manifest that the build leaves."""

import json
from functools import cache
from pathlib import Path

from callcrm.kernel.errors import StartupError

DIST = Path(__file__).parent / "static" / "dist"


@cache
def manifest() -> dict[str, str]:
    """Plain name → hashed name. Raises StartupError when nothing was built."""
    try:
        names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise StartupError(
            "The pages' scripts and styles are not built; run `make setup`, or `pip install -e .` in the checkout."
        ) from error
    return names


def asset(name: str) -> str:
    """The address of a built file."""
    return f"/static/{manifest()[name]}"
