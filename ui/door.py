"""The way in and out: a page of our own that asks for a token, and the cookie that keeps it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from orchestrator.errors import EXPECTED
from orchestrator.page_tokens import COOKIE
from ui.attempts import Attempts
from ui.gate import ALIVE, LOGIN, LOGOUT, Whose, comes_from_here
from ui.login_page import POLICY, login_page, logout_page

_KEPT_SECONDS = 30 * 24 * 3600
_SLOW_SECONDS = 0.5  # after a wrong token
_MOST_BYTES = 8192
_BODY_SECONDS = 10.0
_NOT_NOW = (*EXPECTED, SQLAlchemyError)


@dataclass(frozen=True)
class Door:
    """Opens the pages to whoever shows a token. `whose` says whose a token is."""

    whose: Whose
    attempts: Attempts = field(default_factory=Attempts)

    def routes(self) -> list[BaseRoute]:
        """The paths that need no token."""
        return [
            Route(LOGIN, self.ask, methods=["GET"]),
            Route(LOGIN, self.open, methods=["POST"]),
            Route(LOGOUT, self.ask_to_leave, methods=["GET"]),
            Route(LOGOUT, self.leave, methods=["POST"]),
            Route(ALIVE, self.alive, methods=["GET"]),
        ]

    async def alive(self, request: Request) -> Response:
        """That this process answers; says nothing else."""
        del request
        return PlainTextResponse("ok")

    async def ask(self, request: Request) -> Response:
        """The form; whoever is logged in is led on."""
        wanted = local_path(request.query_params.get("next", ""))
        with suppress(*_NOT_NOW):
            if await self._opens(request.cookies.get(COOKIE, "")):
                return RedirectResponse(wanted, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})
        return _page(login_page(wanted))

    async def open(self, request: Request) -> Response:
        """Keep a token that opens the pages in a cookie, and go where the viewer wanted to go."""
        if _is_from_elsewhere(request):
            return PlainTextResponse("this form was sent by another site\n", HTTPStatus.FORBIDDEN)
        given = await _form(request)
        if given is None:
            return PlainTextResponse("this is no login form\n", HTTPStatus.BAD_REQUEST)
        wanted, token, client = local_path(given.get("next", "")), given.get("token", "").strip(), _client(request)
        if seconds := self.attempts.wait_seconds(client):
            said = f"Too many wrong tokens were tried. Try again in {seconds} seconds."
            return _page(login_page(wanted, said), HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(seconds)})
        self.attempts.failed(client)  # counted beforehand, so that trials at the same time count, too
        try:
            found = await self._opens(token)
        except _NOT_NOW:
            said = "The record, which says whose a token is, cannot be read now: organon doctor says what is wrong."
            return _page(login_page(wanted, said), HTTPStatus.SERVICE_UNAVAILABLE)
        if not found:
            await asyncio.sleep(_SLOW_SECONDS)
            return _page(login_page(wanted, _WRONG), HTTPStatus.UNAUTHORIZED)
        self.attempts.forgive(client)
        return _enter(request, wanted, token)

    async def _opens(self, token: str) -> bool:
        return token != "" and await to_thread.run_sync(self.whose, token) is not None

    async def ask_to_leave(self, request: Request) -> Response:
        """The question before the cookie goes."""
        del request
        return _page(logout_page())

    async def leave(self, request: Request) -> Response:
        """Forget the token in this browser."""
        if _is_from_elsewhere(request):
            return PlainTextResponse("this form was sent by another site\n", HTTPStatus.FORBIDDEN)
        gone = RedirectResponse(LOGIN, HTTPStatus.SEE_OTHER)
        gone.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return gone


_WRONG = "This token opens nothing: it was mistyped, or revoked. organon token create makes another."


def local_path(wanted: str) -> str:
    """Where to go after the login: a path of ours, else the first page."""
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted or not wanted.isprintable():
        return "/"
    return "/" if urlsplit(wanted).path in (LOGIN, LOGOUT) else wanted


def _enter(request: Request, wanted: str, token: str) -> Response:
    entered = RedirectResponse(wanted, HTTPStatus.SEE_OTHER)
    secure = request.url.scheme == "https"
    entered.set_cookie(COOKIE, token, max_age=_KEPT_SECONDS, path="/", httponly=True, samesite="strict", secure=secure)
    return entered


def _page(html: str, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    ours = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(html, status, {**ours, **(headers or {})})


def _client(request: Request) -> str:
    return "unknown" if request.client is None else request.client.host


def _is_from_elsewhere(request: Request) -> bool:
    """Whether another site's page sent a form. Browsers say so; under our referrer policy the origin is null."""
    sent_from = request.headers.get("sec-fetch-site")
    if sent_from is not None:
        return sent_from not in ("same-origin", "none")
    return request.headers.get("origin", "null") != "null" and not comes_from_here(request)


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form; None for what is none, too long, or does not arrive."""
    body = b""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    return None
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10)
    except (TimeoutError, ValueError):
        return None
    return {name: values[0] for name, values in fields.items()}
