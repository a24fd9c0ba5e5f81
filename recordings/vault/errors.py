"""What goes wrong in keeping sounds: each message is one sentence for a person, with the mend."""

import errno


class VaultError(Exception):
    """The sound cannot be kept or read; `passes`: trying again later may help."""

    passes = True


class StoreAway(VaultError):
    """The place does not answer, or not as it should."""


class StoreFull(VaultError):
    """There is no room."""


class NotStored(VaultError):
    """There is no such sound in the place."""

    passes = False


class Damaged(VaultError):
    """What lies there is not what was put there, or its key is not in the ring."""

    passes = False


def of_os(error: OSError, place: object) -> VaultError:
    """An error of the operating system about `place`, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFull(f"There is no room left in {place}: free space on its disk; it is tried again by itself.")
    if isinstance(error, FileNotFoundError):
        return NotStored(f"The file is not in {place} any more.")
    if isinstance(error, PermissionError):
        return StoreAway(f"{place} may not be used by this service: check its owner and rights.")
    said = error.strerror or type(error).__name__
    return StoreAway(f"{place} cannot be used ({said}): check that its disk is there; it is tried again by itself.")
