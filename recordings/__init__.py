"""Sound files of calls: finding, measuring, drawing and serving them. Knows nothing of calls, users or HTTP servers."""

from recordings.folder import Folder, Found, Outside, State, find
from recordings.looking import Look, Looker, look_now
from recordings.ranges import NotSatisfiable, Part, blocks, media_type, part_of
from recordings.sound import BadSound, Sound, measure
from recordings.waveform import Peaks, peaks_of

__all__ = [
    "BadSound",
    "Folder",
    "Found",
    "Look",
    "Looker",
    "NotSatisfiable",
    "Outside",
    "Part",
    "Peaks",
    "Sound",
    "State",
    "blocks",
    "find",
    "look_now",
    "measure",
    "media_type",
    "part_of",
    "peaks_of",
]
