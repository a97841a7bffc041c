"""The gate before the pages: nothing that Streamlit serves, page, file or websocket, is had without a token.

Plain ASGI, around the whole application. A token is looked up for every request and every message of a websocket, so
that one which was revoked opens nothing from the next on.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlsplit

import streamlit
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.errors import EXPECTED
from orchestrator.page_tokens import COOKIE
from orchestrator.tokens import Holder
from ui.links import PLACES

LOGIN, LOGOUT, ALIVE = "/login", "/logout", "/alive"
_OPEN = (LOGIN, LOGOUT, ALIVE)
_PAGES = {"/", *(f"/{path}" for path in PLACES)}
_NOT_NOW = (*EXPECTED, SQLAlchemyError)
_REFUSED = 1008  # a websocket's code for "not allowed"
Whose = Callable[[str], Holder | None]


class Gate:
    """Lets through whoever has a token. `whose` says whose a token is; it may ask the record."""

    def __init__(self, app: ASGIApp, whose: Whose) -> None:
        self._app, self._whose = app, whose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one websocket, or the application's life."""
        if scope["type"] == "http":
            await self._answer(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await self._talk(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        try:
            who = await self._holder(scope)
        except _NOT_NOW:
            await _record_is_away()(scope, receive, send)
            return
        await (_refusal(scope) if who is None else self._app)(scope, receive, send)

    async def _talk(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not comes_from_here(HTTPConnection(scope)) or not await self._still_open(scope):
            await receive()  # the wish to connect, which is answered 403
            await send({"type": "websocket.close", "code": _REFUSED})
            return
        conversation = _Conversation(receive, send, lambda: self._still_open(scope))
        await self._app(scope, conversation.receive, conversation.send)

    async def _still_open(self, scope: Scope) -> bool:
        try:
            return await self._holder(scope) is not None
        except _NOT_NOW:
            return False

    async def _holder(self, scope: Scope) -> Holder | None:
        token = HTTPConnection(scope).cookies.get(COOKIE, "")
        return await to_thread.run_sync(self._whose, token) if token else None


class _Conversation:
    """A websocket that ends at the first message after its token was revoked."""

    def __init__(self, receive: Receive, send: Send, still_open: Callable[[], Awaitable[bool]]) -> None:
        self._receive, self._send, self._still_open = receive, send, still_open
        self._ended = False

    async def receive(self) -> Message:
        """What the browser said."""
        message = await self._receive()
        if message["type"] != "websocket.receive" or await self._still_open():
            return message
        await self.send({"type": "websocket.close", "code": _REFUSED})
        self._ended = True
        return {"type": "websocket.disconnect", "code": _REFUSED}

    async def send(self, message: Message) -> None:
        """Say something to the browser, while it listens."""
        if not self._ended:
            await self._send(message)


def comes_from_here(connection: HTTPConnection) -> bool:
    """Whether a websocket was opened by a page of ours: its origin is the host that it asks."""
    origin = urlsplit(connection.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == connection.headers.get("host")


def _refusal(scope: Scope) -> Response:
    """To the login from a page, and to it again afterwards; everything else is refused."""
    if scope["method"] in ("GET", "HEAD") and (scope["path"].rstrip("/") or "/") in _PAGES:
        query = scope["query_string"].decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"{LOGIN}?next={quote(wanted, safe='')}", HTTPStatus.SEE_OTHER)
    return PlainTextResponse(f"log in at {LOGIN}\n", HTTPStatus.UNAUTHORIZED)


def _record_is_away() -> Response:
    words = "Who may look is in the record, which cannot be read now: `organon doctor` says what is wrong.\n"
    return PlainTextResponse(words, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def source(text: str) -> str:
    """How a Content-Security-Policy names an inline script or style that it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _policy() -> str:
    """Everything from here alone.

    What Streamlit needs beside: the inline scripts of its own page, styles that its scripts write, code that plotly and
    the drawing of graphs compile, workers and pictures made on the page.
    """
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    inline = " ".join(source(script) for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL))
    return (
        f"default-src 'self'; script-src 'self' 'unsafe-eval' {inline}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; connect-src 'self'; "
        "worker-src 'self' blob:; frame-src 'self' blob: data:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


_HEADERS = {
    "Content-Security-Policy": _policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
