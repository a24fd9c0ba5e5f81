"""What can go wrong with the lab, in one sentence."""


class LabError(Exception):
    """The lab cannot do what it was asked for; the message says why and names the mend."""
