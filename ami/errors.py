"""What can go wrong between us and a PBX; each message is a sentence for a person.

AmiError
├── PbxGone      no link, or it broke: nothing was done, or nobody can know
├── PbxRefused   the PBX answered no
├── BadCommand   we would not even ask: a field holds what it must not
└── Expired      no answer in time, or too late to ask
"""

from ami.messages import Message, first


class AmiError(Exception):
    """Something that went wrong with a PBX."""


class PbxGone(AmiError):
    """There is no link to the PBX, or it was lost before the answer came.

    `sent`: whether the action had left us, so that it may have been carried out.
    """

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class PbxRefused(AmiError):
    """The PBX answered with an error; `response` is its answer."""

    def __init__(self, action: str, response: Message) -> None:
        self.action, self.response = action, response
        self.reason = first(response, "Message") or first(response, "Response") or "no reason given"
        super().__init__(f"The PBX refused {action}: {self.reason}.")

    @property
    def denied(self) -> bool:
        """Whether the manager user lacks the right, rather than the action its sense."""
        return "permission denied" in self.reason.lower()

    @property
    def unknown(self) -> bool:
        """Whether this PBX (as this user sees it) has no such action."""
        return "unknown command" in self.reason.lower()


class BadCommand(AmiError, ValueError):
    """A field of an action holds what it must not; nothing was sent."""

    def __init__(self, field: str, why: str) -> None:
        self.field = field
        super().__init__(f"{field} {why}.")


class Expired(AmiError):
    """The PBX did not answer in time; `sent` says whether the action had left us."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent
