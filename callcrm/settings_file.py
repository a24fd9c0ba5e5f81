"""Loads the settings, and says in one sentence what is wrong with them and how to mend it."""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict, SettingsError

from callcrm.kernel.errors import StartupError
from callcrm.settings import PREFIX, Settings

FILE = Path("config/callcrm.toml")
SECRETS = Path("/run/secrets")
_WANTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "tuple_type": 'a list such as ["a", "b"]',
    "date_from_datetime_parsing": "a date such as 2026-01-01",
    "date_type": "a date such as 2026-01-01",
}
#: Names in the environment that begin like settings but are none.
_OTHER = frozenset({"CALLCRM_CONFIG", "CALLCRM_SECRETS"})


def load(file: Path | None = None, *, secrets: Path | None = None) -> Settings:
    """The settings from `file`, the environment and the folder `secrets`.

    Without `file`: what CALLCRM_CONFIG names, else config/callcrm.toml if it is there. Without
    `secrets`: what CALLCRM_SECRETS names, else /run/secrets. Raises StartupError.
    """
    file = file or (Path(os.environ["CALLCRM_CONFIG"]) if os.environ.get("CALLCRM_CONFIG") else None)
    if file is None:
        file = FILE if FILE.exists() else None
    elif not file.is_file():
        raise StartupError(f"There is no file {file}; name one that is there, or copy config/callcrm.toml to it.")
    folder = secrets or Path(os.environ.get("CALLCRM_SECRETS") or SECRETS)
    _check_environment(os.environ)
    return _read(file, folder)


def _read(file: Path | None, folder: Path) -> Settings:
    class Read(Settings):
        model_config = SettingsConfigDict(toml_file=file, secrets_dir=folder)

    try:
        return Read()
    except tomllib.TOMLDecodeError as error:
        raise StartupError(f"{file} is not TOML: {error}; mend that line.") from None
    except UnicodeDecodeError:
        raise StartupError(f"{file} or a file in {folder} is not UTF-8 text; save it as such.") from None
    except OSError as error:
        raise StartupError(f"{error.filename} cannot be read ({error.strerror}); mend its rights.") from None
    except SettingsError as error:
        raise StartupError(f'The environment: {error}; lists are written there as ["a", "b"].') from None
    except ValidationError as error:
        raise StartupError(in_words(error, file)) from None


def _check_environment(environment: Mapping[str, str]) -> None:
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in _OTHER:
            section = name.removeprefix(PREFIX).split("__")[0].lower()
            if section not in Settings.model_fields:
                near = _nearest(section, Settings.model_fields)
                hint = f"did you mean {PREFIX}{near.upper()}?" if near else "unset it"
                raise StartupError(f"{name} in the environment is no setting of callcrm; {hint}")


def in_words(error: ValidationError, file: Path | None) -> str:
    """What is wrong, as one sentence: the first fault, and how many more there are."""
    faults = error.errors()
    said = _fault(faults[0], file)
    more = len(faults) - 1
    return f"{said} ({more} more fault{'s' if more > 1 else ''} after this one.)" if more else said


def _fault(fault: ErrorDetails, file: Path | None) -> str:
    path = [str(step) for step in fault["loc"]]
    key = _dotted(path)
    where = _where(path, file)
    kind = fault["type"]
    if kind == "extra_forbidden":
        near = _near_key(path)
        return f"{where}{key} is no setting of callcrm; " + (f"did you mean {near}?" if near else "take it out.")
    if kind == "missing":
        return f"{where}{key} is missing; set it there or as {_variable(path)} in the environment."
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        example = "[pbx.office]" if path[0] == "pbx" else f"[{key}]"
        return f"{where}{key} is not a table; write its settings under a heading such as {example}."
    if kind == "value_error":
        return f"{where}{key + ': ' if key else ''}{fault['ctx']['error']}."
    given = "" if "secret" in key or "url" in key or key.endswith(".cdr") else f", not {fault['input']!r}"
    wanted = _WANTED.get(kind) or fault["msg"].removeprefix("Input should be ")
    return f"{where}{key} must be {wanted[0].lower()}{wanted[1:]}{given[:80]}; mend it."


def _where(path: list[str], file: Path | None) -> str:
    if _variable(path) in os.environ:
        return f"{_variable(path)} in the environment: "
    return f"{file}: " if file else ""


def _variable(path: list[str]) -> str:
    return PREFIX + "__".join(path).upper()


def _dotted(path: Iterable[str]) -> str:
    return ".".join(f'"{step}"' if "+" in step or "." in step else step for step in path)


def _near_key(path: list[str]) -> str:
    """The known key nearest to an unknown one: on its own level first, then anywhere."""
    *above, last = path
    level = _level(above)
    near = _nearest(last, level)
    if near:
        return _dotted([*above, near])
    everywhere = {name: [section, name] for section in Settings.model_fields for name in _level([section])}
    elsewhere = _nearest(last, everywhere)
    return _dotted(everywhere[elsewhere]) if elsewhere else ""


def _level(path: list[str]) -> list[str]:
    """The keys known at `path`; none where names are free."""
    at: Any = Settings
    for step in path:
        if isinstance(at, type) and issubclass(at, BaseModel):
            field = at.model_fields.get(step)
            at = field.annotation if field else None
        else:
            at = get_args(at)[1] if len(get_args(at)) == 2 else None
    return list(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else []


def _nearest(word: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)), "")
