"""The vault: what is kept is what was there, wherever it lies, and what is wrong with it is said in words."""

import asyncio
import io
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import BadSound, Part
from recordings.vault import (
    Damaged,
    FolderStore,
    KeyRing,
    NotStored,
    StillWritten,
    Store,
    StoreAway,
    StoreFull,
    Unfit,
    check,
    checksum,
    convert,
    make_key,
    plain_blocks,
    plain_checksum,
    plain_file,
    same_sound,
    seal,
    sealed_size,
)
from recordings.vault.bucket import BucketStore
from recordings.vault.sealing import BLOCK, HEAD, TAG
from tests.recordings.making import tone, write
from tests.s3 import S3Server, s3_server

RING = KeyRing.of([make_key()])
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 17 * BLOCK + 5)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "vault")
    return BucketStore(request.getfixturevalue("s3").prefixed(tmp_path.name))


def some(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def sealed(data: bytes, ring: KeyRing = RING) -> bytes:
    out = io.BytesIO()
    seal(io.BytesIO(data), len(data), out, ring)
    return out.getvalue()


async def whole(store: Store, name: str, size: int, ring: KeyRing | None = None) -> bytes:
    return b"".join([block async for block in plain_blocks(store, name, Part(0, size, size, True), ring)])


# ---- checking ----------------------------------------------------------------------------------------
def test_a_file_at_rest_is_checked_and_one_that_still_grows_is_not(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(2), tone(2))
    checked = check(path)
    assert (checked.sha256, checked.size, checked.trouble) == (checksum(path), path.stat().st_size, "")
    assert checked.sound is not None
    assert (checked.sound.seconds, checked.sound.channels) == (2.0, 2)
    assert checked.unchanged
    with pytest.raises(StillWritten):
        check(path, rested_s=60)
    with path.open("ab") as file:
        file.write(b"\0\0")
    assert not checked.unchanged


def test_what_is_no_sound_has_a_checksum_and_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"these bytes are no sound whatever the name says")
    checked = check(path)
    assert checked.sound is None
    assert checked.trouble.endswith(".")
    assert len(checked.sha256) == 64


# ---- converting --------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [{}, {"subtype": "ULAW"}, {"subtype": "GSM610"}, {"subtype": "PCM_24"}])
def test_flac_keeps_every_sample_of_what_telephones_write(tmp_path: Path, how: dict[str, str]) -> None:
    lanes = (tone(9, hertz=300),) if how.get("subtype") == "GSM610" else (tone(9, hertz=300), tone(9, 0.2, 700))
    old = write(tmp_path / "a.wav", *lanes, **how)
    convert(old, new := tmp_path / "a.flac", "flac")
    assert same_sound(old, new, "flac")
    assert not how.get("subtype") or new.stat().st_size != old.stat().st_size


def test_opus_keeps_what_is_heard_in_far_fewer_bytes(tmp_path: Path) -> None:
    old = write(tmp_path / "a.wav", tone(20, hertz=300), tone(20, 0.0))
    convert(old, new := tmp_path / "a.opus", "opus")
    assert same_sound(old, new, "opus")
    assert new.stat().st_size < old.stat().st_size / 4


@pytest.mark.parametrize("form", ["flac", "opus"])
def test_the_look_back_sees_what_is_missing_or_on_the_wrong_lane(tmp_path: Path, form: str) -> None:
    old = write(tmp_path / "a.wav", tone(12, hertz=300), tone(12, 0.0))
    for name, lanes in {
        "short": (tone(8, hertz=300), tone(8, 0.0)),
        "swapped": (tone(12, 0.0), tone(12, hertz=300)),
        "silent": (tone(12, 0.0), tone(12, 0.0)),
        "one lane": (tone(12, hertz=300),),
    }.items():
        convert(write(tmp_path / f"{name}.wav", *lanes), new := tmp_path / f"{name}.{form}", form)
        assert not same_sound(old, new, form), name
    torn = tmp_path / f"torn.{form}"
    torn.write_bytes(new.read_bytes()[:40])
    assert not same_sound(old, torn, form)


def test_what_a_form_cannot_hold_is_refused_in_words(tmp_path: Path) -> None:
    odd = write(tmp_path / "odd.wav", tone(1, rate=11025), rate=11025)
    with pytest.raises(Unfit, match="11025"):
        convert(odd, tmp_path / "odd.opus", "opus")
    floating = write(tmp_path / "f.wav", tone(1), subtype="FLOAT")
    with pytest.raises(Unfit, match="FLOAT"):
        convert(floating, tmp_path / "f.flac", "flac")
    (bad := tmp_path / "bad.wav").write_bytes(b"no sound at all, or so it seems to be")
    with pytest.raises(BadSound):
        convert(bad, tmp_path / "bad.flac", "flac")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
@pytest.mark.parametrize("form", ["flac", "opus"])
def test_a_disk_that_is_full_in_mid_conversion_is_said_to_be_full(tmp_path: Path, form: str) -> None:
    old = write(tmp_path / "a.wav", tone(30), tone(30))
    with pytest.raises(StoreFull, match="no room left"):
        convert(old, Path("/dev/full"), form)
    assert check(old).sound is not None


# ---- encryption --------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", SIZES)
async def test_every_stretch_of_a_sealed_file_is_read_as_it_was(tmp_path: Path, size: int) -> None:
    store, data = FolderStore(tmp_path), some(size)
    (tmp_path / "x").write_bytes(sealed(data))
    assert (tmp_path / "x").stat().st_size == sealed_size(size)
    assert await whole(store, "x", size, RING) == data
    for begin, end in {(0, min(size, 7)), (size // 2, size), (max(0, size - 1), size), (size // 3, 2 * size // 3)}:
        part = Part(begin, end, size, False)
        assert b"".join([block async for block in plain_blocks(store, "x", part, RING)]) == data[begin:end]


@given(st.data())
def test_no_change_of_a_sealed_file_goes_unseen(data: st.DataObject) -> None:
    from recordings.vault.sealing import Seal, blocks_of

    plain = some(data.draw(st.sampled_from([1, 100, BLOCK, BLOCK + 1, 2 * BLOCK + 9]), "size"))
    file = bytearray(sealed(plain))
    how = data.draw(st.sampled_from(["flip", "cut", "swap", "other key"]), "how")
    ring = RING
    if how == "flip":
        file[data.draw(st.integers(0, len(file) - 1), "at")] ^= 1 << data.draw(st.integers(0, 7), "bit")
    elif how == "cut":
        del file[data.draw(st.integers(0, len(file) - 1), "to") :]
    elif how == "swap" and len(plain) >= 2 * BLOCK:
        step = BLOCK + TAG
        file[HEAD : HEAD + step], file[HEAD + step : HEAD + 2 * step] = (
            file[HEAD + step : HEAD + 2 * step],
            file[HEAD : HEAD + step],
        )
    else:
        ring = KeyRing.of([make_key()])
    with pytest.raises(Damaged):
        opened = Seal(bytes(file[:HEAD]), ring)
        if opened.size != len(plain):
            raise Damaged("its size is another")
        for n in range(blocks_of(opened.size)):
            begin, end = opened.span(n, n)
            opened.open(n, n, bytes(file[begin:end]))


def test_two_sealed_files_of_one_sound_have_nothing_in_common() -> None:
    one, other = sealed(b"the same sound" * 9), sealed(b"the same sound" * 9)
    assert one[HEAD:] != other[HEAD:]
    assert b"the same sound" not in one


async def test_files_of_an_older_key_open_while_it_is_in_the_ring(tmp_path: Path) -> None:
    old, new = make_key(), make_key()
    (tmp_path / "x").write_bytes(sealed(b"sound", KeyRing.of([old])))
    store = FolderStore(tmp_path)
    assert await whole(store, "x", 5, KeyRing.of([new, old])) == b"sound"
    with pytest.raises(Damaged, match=r"not among vault\.keys"):
        await whole(store, "x", 5, KeyRing.of([new]))
    with pytest.raises(ValueError, match="32 random bytes"):
        KeyRing.of(["short"])


# ---- stores ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ring", [None, RING], ids=["plain", "sealed"])
async def test_a_store_gives_back_what_was_put_whole_and_in_parts(
    store: Store, tmp_path: Path, ring: KeyRing | None
) -> None:
    data = some(9 * 1024 * 1024 + 77)
    (source := tmp_path / "source").write_bytes(sealed(data) if ring else data)
    await store.put("2026/11/21/a.wav", source)
    assert await store.size("2026/11/21/a.wav") == source.stat().st_size
    assert await plain_checksum(store, "2026/11/21/a.wav", ring) == __import__("hashlib").sha256(data).hexdigest()
    part = Part(5_000_000, 5_000_100, len(data), False)
    blocks = plain_blocks(store, "2026/11/21/a.wav", part, ring)
    assert b"".join([block async for block in blocks]) == data[5_000_000:5_000_100]
    await plain_file(store, "2026/11/21/a.wav", tmp_path / "back", ring)
    assert (tmp_path / "back").read_bytes() == data
    await store.put("2026/11/21/a.wav", tmp_path / "back")
    assert await store.size("2026/11/21/a.wav") == len(data)
    await store.probe()
    await store.remove("2026/11/21/a.wav")
    await store.remove("2026/11/21/a.wav")
    with pytest.raises(NotStored):
        await store.read("2026/11/21/a.wav", 0, 10)
    with pytest.raises(NotStored):
        await store.size("2026/11/21/a.wav")


async def test_what_became_shorter_in_a_store_is_damaged(store: Store, tmp_path: Path) -> None:
    (source := tmp_path / "source").write_bytes(b"0123456789")
    await store.put("a", source)
    with pytest.raises(Damaged):
        await store.read("a", 5, 20)
    with pytest.raises(Damaged):
        await store.read("a", 15, 20)


async def test_a_bucket_says_in_words_what_keeps_it(s3: S3Server, tmp_path: Path) -> None:
    (source := tmp_path / "source").write_bytes(b"0123456789")
    for address, said in (
        (replace(s3.address, secret_key="wrong"), "lets us not in"),
        (replace(s3.address, bucket="elsewhere"), "make it, or mend vault.bucket"),
        (replace(s3.address, endpoint="http://127.0.0.1:1", timeout_s=1), "does not answer"),
    ):
        with pytest.raises(StoreAway, match=said):
            await BucketStore(address).put("a", source)


async def test_a_folder_says_in_words_what_keeps_it(tmp_path: Path) -> None:
    (source := tmp_path / "source").write_bytes(b"0123456789")
    gone = FolderStore(tmp_path / "gone")
    with pytest.raises(StoreAway, match="is it mounted"):
        await gone.read("a", 0, 1)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreAway, match="cannot be used"):
        await FolderStore(tmp_path / "file").put("a", source)
    for name in ("../a", "/etc/passwd", "x/../../a"):
        with pytest.raises(Damaged, match="leads out"):
            await FolderStore(tmp_path / "vault").put(name, source)
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "link").symlink_to("/etc")
    with pytest.raises(Damaged, match="leads out"):
        await FolderStore(tmp_path / "vault").read("link/passwd", 0, 10)


async def test_a_disk_that_is_full_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path / "vault")
    (source := tmp_path / "source").write_bytes(b"0123456789")
    await store.put("kept", source)
    source.write_bytes(some(3 << 20))

    def full(_handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match="free space"):
        await store.put("kept", source)
    assert [path.name for path in (tmp_path / "vault").iterdir()] == ["kept"]
    assert await store.read("kept", 0, 10) == b"0123456789"


async def test_reading_a_bucket_leaves_the_event_loop_free(s3: S3Server, tmp_path: Path) -> None:
    store = BucketStore(s3.prefixed("free"))
    (source := tmp_path / "source").write_bytes(sealed(some(12 << 20)))
    await store.put("a", source)
    loop, late = asyncio.get_running_loop(), []

    async def watch() -> None:
        while True:
            at = loop.time()
            await asyncio.sleep(0.002)
            late.append(loop.time() - at - 0.002)

    watching, began = asyncio.create_task(watch()), loop.time()
    await plain_checksum(store, "a", RING)
    took = loop.time() - began
    watching.cancel()
    assert max(late) < took / 2, "the loop stood still for a good part of it"
