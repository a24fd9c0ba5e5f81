"""What a body may be: JSON, of a size, in however many pieces it comes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.api.conftest import Api
from tests.people import OLGA


async def test_a_body_that_comes_in_pieces_is_read_whole(api: Api) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"title": ', b'"Send the ', b'offer"}'):
            yield piece
            await asyncio.sleep(0.02)

    client = await api.program(OLGA)
    headers = {"Content-Type": "application/json"}
    async with client.post("/api/v1/tasks", data=pieces(), headers=headers) as answer:
        assert answer.status == 201
        assert (await answer.json())["title"] == "Send the offer"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"title": "' + b"x" * 70_000 + b'"}', "application/json", 413),
        (b"title=x", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 422),
        (b"[" * 30_000, "application/json", 422),
        (b"\xff\xfe\x00", "application/json", 422),
    ],
)
async def test_what_cannot_be_taken_is_a_problem_in_words(api: Api, body: bytes, kind: str, status: int) -> None:
    client = await api.program(OLGA)
    async with client.post("/api/v1/tasks", data=body, headers={"Content-Type": kind}) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"]) == (status, status)
    assert problem["detail"]


async def test_a_page_of_another_site_may_not_write_with_ones_cookie(api: Api) -> None:
    client = await api.program(None)
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    async with client.post("/api/v1/tasks", json={"title": "x"}, headers=headers) as answer:
        assert answer.status in (401, 403)
