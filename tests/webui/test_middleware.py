"""What every request goes through: headers, origin, the door, the throttle, errors in words."""

import re

import pytest
from aiohttp import web

from callcrm.accounts import passwords, service
from tests import people
from tests.webui.conftest import PASSWORD, Web, text_of
from webui.identity import COOKIE

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


async def give_password(web: Web) -> None:
    fresh = await passwords.hashed(PASSWORD)
    await web.parts.writer.do(lambda unit: service.set_password(unit, people.OLGA.user_id, fresh), name="password")


async def test_the_policy_lets_nothing_inline_and_nothing_foreign_in(web: Web) -> None:
    client = await web.client()
    async with client.get("/sign-in") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy and "*" not in policy
    host = client.make_url("/").host
    assert f"connect-src 'self' ws://{host}:8081;" in policy
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy


async def test_every_answer_carries_the_headers_even_an_error(web: Web) -> None:
    client = await web.client()
    for path in ("/sign-in", "/no-such-page", "/static/none.js", "/static/icon.svg"):
        async with client.get(path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert "Content-Security-Policy" in answer.headers, path


async def test_without_a_session_pages_lead_to_the_door_and_back(web: Web) -> None:
    client = await web.client()
    async with client.get("/me?x=1", allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/sign-in?next=/me?x=1"
    async with client.get("/me", headers={"HX-Request": "true"}, allow_redirects=False) as answer:
        assert answer.status == 401
        assert answer.headers["HX-Redirect"] == "/sign-in"


async def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(web: Web) -> None:
    await give_password(web)
    client = await web.client()
    fields = {"name": "olga", "password": PASSWORD, "next": "/me"}
    async with client.post("/sign-in", data=fields, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/me"
        cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["secure"]
    assert "My account" in await text_of(client, "/me")
    async with client.post("/sign-out", allow_redirects=False) as answer:
        assert answer.status == 303
    await text_of(client, "/me", 303)


async def test_by_tls_behind_a_trusted_proxy_the_cookie_is_secure(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    await give_password(web)
    settings = web.parts.settings
    trusting = settings.web.model_copy(update={"trusted_proxies": ("127.0.0.1",)})
    monkeypatch.setitem(settings.__dict__, "web", trusting)
    client = await web.client()
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    fields = {"name": "olga", "password": PASSWORD}
    async with client.post("/sign-in", data=fields, headers=headers, allow_redirects=False) as answer:
        assert answer.cookies[COOKIE]["secure"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert "wss://" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_the_door_leads_nowhere_else(web: Web, next_: str) -> None:
    await give_password(web)
    client = await web.client()
    fields = {"name": "olga", "password": PASSWORD, "next": next_}
    async with client.post("/sign-in", data=fields, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/"


async def test_a_wrong_password_keeps_the_name_and_says_so_beside_the_field(web: Web) -> None:
    await give_password(web)
    client = await web.client()
    async with client.post("/sign-in", data={"name": "olga", "password": "wrong"}) as answer:
        text = await answer.text()
        assert answer.status == 401
    assert 'value="olga"' in text and "do not go together" in text and "wrong" not in text


async def test_too_many_wrong_tries_are_told_to_wait(web: Web) -> None:
    await give_password(web)
    client = await web.client()
    statuses = []
    for _ in range(11):
        async with client.post("/sign-in", data={"name": "olga", "password": "wrong"}) as answer:
            statuses.append(answer.status)
            text = await answer.text()
    assert statuses == [401] * 10 + [429]
    assert "Wait 15 minutes" in text
    async with client.post("/sign-in", data={"name": "olga", "password": PASSWORD}) as answer:
        assert answer.status == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_pages_of_other_sites_may_not_write(web: Web, headers: dict[str, str]) -> None:
    client = await web.client(people.OLGA)
    async with client.post("/me/look", data={"theme": "dark"}, headers=headers) as answer:
        assert answer.status == 403
    async with web.parts.database.read() as db:
        from callcrm.accounts import queries

        actor = await queries.actor_by_id(db, people.OLGA.user_id)
    assert actor is not None and actor.theme == "system"


async def test_our_own_pages_may_write(web: Web) -> None:
    client = await web.client(people.OLGA)
    own = str(client.make_url("/")).rstrip("/")
    for headers in ({"Sec-Fetch-Site": "same-origin", "Origin": own}, {"Origin": own}):
        async with client.post("/me/look", data={"theme": "dark"}, headers=headers) as answer:
            assert answer.status == 200


async def test_errors_are_pages_in_words(web: Web) -> None:
    client = await web.client(people.OLGA)
    assert "There is no such page" in await text_of(client, "/nowhere", 404)
    assert "Your role does not reach" in await text_of(client, "/accounts", 403)
    assert not INLINE.search(await text_of(client, "/nowhere", 404))


async def test_a_part_of_a_page_gets_the_sentence_alone(web: Web) -> None:
    client = await web.client(people.OLGA)
    async with client.get("/clients/999999", headers={"HX-Request": "true"}) as answer:
        assert (answer.status, answer.content_type) == (404, "text/plain")
        assert "<" not in await answer.text()


async def test_what_breaks_is_told_with_a_reference_and_not_with_its_inside(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("webui.links.worst", broken)
    client = await web.client(people.OLGA)
    text = await text_of(client, "/me", 500)
    assert re.search(r'<b class="mono">[0-9a-f]{8}</b>', text)
    assert "secret inside" not in text and "Traceback" not in text


async def test_a_form_that_is_too_large_is_refused_in_words(web: Web) -> None:
    client = await web.client(people.OLGA)
    async with client.post("/me/look", data={"theme": "x" * 400_000}) as answer:
        assert answer.status == 413
        assert "more than fits" in await answer.text()


async def test_the_language_follows_the_browser_and_the_choice(web: Web) -> None:
    client = await web.client()
    async with client.get("/sign-in", headers={"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"}) as answer:
        assert '<html lang="ru"' in await answer.text()
    async with client.get("/sign-in?language=ru") as answer:
        assert '<html lang="ru"' in await answer.text()
    async with client.get("/sign-in") as answer:
        assert '<html lang="ru"' in await answer.text()


async def test_a_route_that_declares_nothing_lets_nobody_in(web: Web) -> None:
    async def forgotten(request: web_request) -> web_response:
        return web_response(text="open to all")

    web.server.app.router._frozen = False
    web.server.app.router.add_get("/forgotten", forgotten)
    client = await web.client(people.ADAM)
    await text_of(client, "/forgotten", 403)


web_request, web_response = web.Request, web.Response
