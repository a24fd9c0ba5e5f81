"""Sound that browsers play: most files as they are, GSM and other telephone codings as plain WAV."""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

import soundfile

from recordings.sound import BadSound, blocks_of

#: What every browser plays in a WAV file.
_PLAIN = frozenset({"PCM_16", "PCM_U8", "PCM_24", "ULAW", "ALAW"})
_AS_IT_IS = frozenset({".mp3", ".ogg", ".opus", ".flac", ".m4a"})
_BLOCK = 1 << 16


def playable(path: Path, cache: Path | None = None) -> Path:
    """The file itself, or a WAV made from it once and kept in `cache` (the system's folder for temporary files).

    Blocks while it converts: use it in a thread. Raises BadSound or OSError.
    """
    try:
        if is_playable(path):
            return path
        return _converted(path, cache or Path(tempfile.gettempdir()) / f"callcrm-sound-{os.getuid()}")
    except soundfile.LibsndfileError as error:
        raise BadSound("The recording is no sound that can be read.") from error


def is_playable(path: Path) -> bool:
    """Whether every browser plays the file as it is. Raises soundfile.LibsndfileError for what is no sound."""
    return path.suffix.lower() in _AS_IT_IS or soundfile.info(path).subtype in _PLAIN


def _converted(path: Path, cache: Path) -> Path:
    status = path.stat()
    key = sha256(f"{path}\n{status.st_mtime_ns}\n{status.st_size}".encode()).hexdigest()[:32]
    made = cache / f"{key}.wav"
    if made.is_file():
        return made
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache, suffix=".wav", delete=False) as fresh:
        half = Path(fresh.name)
    try:
        with soundfile.SoundFile(path) as source:
            form = {"samplerate": source.samplerate, "channels": source.channels, "subtype": "PCM_16"}
            with soundfile.SoundFile(half, "w", format="WAV", **form) as target:
                for block in blocks_of(source, _BLOCK):
                    target.write(block)
        half.replace(made)
    finally:
        half.unlink(missing_ok=True)
    return made
