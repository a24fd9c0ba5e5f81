"""Errors that a person may read: each message is one sentence that names the mend."""


class CallcrmError(Exception):
    """Something that callcrm can tell in one sentence."""


class StartupError(CallcrmError):
    """The service cannot start as it is configured; told in one sentence, exit 1."""


class NotAllowed(CallcrmError):
    """The role does not reach this."""


class NotFound(CallcrmError):
    """There is no such thing, or it is not yours to see."""


class Conflict(CallcrmError):
    """Somebody else changed it meanwhile; `current` is what it is now, to be shown beside what was typed."""

    def __init__(self, message: str, current: object = None) -> None:
        super().__init__(message)
        self.current = current


class Invalid(CallcrmError):
    """What was typed cannot be taken; `fields` names each field and what is wrong with it."""

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}
