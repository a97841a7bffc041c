"""The login, at a real server: who gets nothing, and what a token opens."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from orchestrator.page_tokens import COOKIE
from orchestrator.tokens import create_token, list_tokens, revoke_token
from tests.homes import Home

OPERATOR, VIEWER = "an-operator-of-thirty-letters", "a-viewer-of-thirty-letters-too"
Answer = tuple[int, dict[str, str], str]


@dataclass(frozen=True)
class Pages:
    """A server of the pages, in a process of its own."""

    home: Home
    port: int

    def ask(self, method: str, path: str, token: str = "", body: str = "", **headers: str) -> Answer:
        """Status, headers by small names, and text of an answer; redirects are not followed."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Cookie"] = f"{COOKIE}={token}"
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body or None, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read().decode("utf-8", "replace")

    def log_in(self, token: str, wanted: str = "/", **headers: str) -> Answer:
        form = urlencode({"token": token, "next": wanted})
        headers = {"Content_Type": "application/x-www-form-urlencoded", **headers}
        return self.ask("POST", "/login", body=form, **headers)

    def websocket(self, token: str = "", origin: str | None = None) -> ClientConnection:
        """The conversation that a page begins."""
        headers = {"Cookie": f"{COOKIE}={token}"} if token else {}
        return connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            origin=f"http://127.0.0.1:{self.port}" if origin is None else origin,  # type: ignore[arg-type]
            additional_headers=headers,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            open_timeout=30,
        )

    def refused(self, token: str = "", origin: str | None = None) -> int:
        """The status with which a websocket is refused."""
        with pytest.raises(InvalidStatus) as refusal, self.websocket(token, origin):
            pass
        return refusal.value.response.status_code


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    folder: Path = tmp_path_factory.mktemp("login")
    home = Home(folder / "home", ORGANON_UI_TOKEN=OPERATOR, ORGANON_UI_VIEWER_TOKEN=VIEWER)
    home.start("pages", "--port", str(port))
    served = Pages(home, port)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError):
            if served.ask("GET", "/alive")[0] == 200:
                break
        time.sleep(0.2)
    else:
        pytest.fail(home.logs())
    yield served
    home.close()


@pytest.mark.parametrize("path", ["/", "/campaigns", "/campaigns/", "/campaigns?campaign=0a&x=%26", "/workers?job=3"])
def test_a_page_leads_to_the_login_and_back(pages: Pages, path: str) -> None:
    status, headers, _ = pages.ask("GET", path)
    assert status == 303
    assert headers["location"].startswith("/login?next=%2F")
    status, _, form = pages.ask("GET", headers["location"])
    assert (status, f'value="{path.replace("&", "&amp;")}"' in form) == (200, True)
    assert pages.log_in(OPERATOR, path)[1]["location"] == path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_stcore/health"),
        ("GET", "/_stcore/host-config"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/agent/openapi.json"),
        ("POST", "/_stcore/agent/interact"),
        ("PUT", "/_stcore/upload_file/session/file"),
        ("OPTIONS", "/_stcore/upload_file/session/file"),
        ("GET", "/media/0123456789abcdef.csv"),
        ("GET", "/static/js/index.js"),
        ("GET", "/component/any/index.html"),
        ("GET", "/app/static/secret.txt"),
        ("GET", "/index.html"),
        ("GET", "/login/"),
        ("GET", "//campaigns"),
        ("GET", "/campaigns/../_stcore/metrics"),
        ("POST", "/"),
        ("GET", "/_stcore/stream"),
    ],
)
def test_without_a_token_nothing_is_served(pages: Pages, method: str, path: str) -> None:
    status, headers, said = pages.ask(method, path)
    assert (status, said) == (401, "log in at /login\n")
    assert headers["x-content-type-options"] == "nosniff"


def test_a_websocket_needs_a_token_and_a_page_of_ours(pages: Pages) -> None:
    assert pages.refused() == 403
    assert pages.refused("organon_1234_wrong") == 403
    assert pages.refused(OPERATOR, "http://elsewhere.example") == 403
    assert pages.refused(OPERATOR, f"http://127.0.0.1:{pages.port + 1}") == 403
    assert pages.refused(OPERATOR, "null") == 403
    with pages.websocket(OPERATOR) as conversation:
        assert conversation.ping().wait(10)


@pytest.mark.parametrize("token", [OPERATOR, VIEWER])
def test_a_token_opens_pages_and_files(pages: Pages, token: str) -> None:
    status, headers, page = pages.ask("GET", "/campaigns", token)
    assert (status, "<html" in page) == (200, True)
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy.replace("https:", "http:"), "no other host is named"
    assert headers["referrer-policy"] == "no-referrer"
    assert pages.ask("GET", "/_stcore/health", token)[0] == 200
    with pages.websocket(token) as conversation:
        assert conversation.ping().wait(10)


@pytest.mark.parametrize(
    ("token", "role"), [(OPERATOR, b"operator: may look and act"), (VIEWER, b"viewer: may look, not act")]
)
def test_the_sidebar_says_who_is_in(pages: Pages, token: str, role: bytes) -> None:
    drawing = BackMsg()
    drawing.rerun_script.query_string = ""
    with pages.websocket(token) as conversation:
        conversation.send(drawing.SerializeToString())
        said = b""
        while role not in said:
            message = conversation.recv(timeout=30)
            said += message if isinstance(message, bytes) else message.encode()
            assert b"login has ended" not in said
    assert role in said


def test_the_cookie(pages: Pages) -> None:
    status, headers, _ = pages.log_in(VIEWER)
    name, _, rest = headers["set-cookie"].partition("=")
    value, *flags = rest.split("; ")
    assert (status, name, value) == (303, COOKIE, VIEWER)
    assert {flag.lower() for flag in flags} == {"httponly", "samesite=strict", "path=/", "max-age=2592000"}
    _, headers, _ = pages.log_in(VIEWER, X_Forwarded_Proto="https")  # as a proxy on this machine says it
    assert "; Secure" in headers["set-cookie"]


def test_a_revoked_token_opens_nothing_from_the_next_request_on(pages: Pages) -> None:
    with pages.home.record() as database:
        token = create_token(database, "Ada", "operator")
        assert pages.log_in(token)[0] == 303
        assert pages.ask("GET", "/", token)[0] == 200
        with pages.websocket(token) as conversation:
            assert conversation.ping().wait(10)
            (entry,) = [known for known in list_tokens(database) if known["name"] == "Ada"]
            revoke_token(database, entry["id"])
            conversation.send(b"")
            with pytest.raises(ConnectionClosed) as closed:
                list(conversation)  # until it ends
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert pages.ask("GET", "/", token)[0] == 303
    assert pages.ask("GET", "/media/x", token)[0] == 401
    assert pages.refused(token) == 403
    assert pages.log_in(token, X_Forwarded_For="192.0.2.1")[0] == 401


@pytest.mark.parametrize(
    "wanted",
    [
        "https://elsewhere.example/", "//elsewhere.example", "///elsewhere.example", "/\\elsewhere.example",
        "\\\\elsewhere.example", "/\t/elsewhere.example", "/a\r\nX-Header: 1", "javascript:0",
        "", "campaigns", "/login", "/logout",
    ],
)  # fmt: skip
def test_next_leads_nowhere_else(pages: Pages, wanted: str) -> None:
    status, headers, _ = pages.log_in(OPERATOR, wanted)
    assert (status, headers["location"]) == (303, "/")
    _, _, form = pages.ask("GET", f"/login?{urlencode({'next': wanted})}")
    assert 'name="next" id="next" value="/"' in form


def test_a_wrong_token_is_said_in_words_slowly_and_not_for_ever(pages: Pages) -> None:
    somebody = {"X_Forwarded_For": "192.0.2.7"}
    begun = time.monotonic()
    status, headers, page = pages.log_in("a wrong token <b>", "/workers", **somebody)
    assert time.monotonic() - begun >= 0.5
    assert status == 401
    assert "set-cookie" not in headers
    assert 'role="alert"' in page
    assert "This token opens nothing" in page
    assert 'value="/workers"' in page, "what was wanted is not forgotten"
    assert "wrong token <b>" not in page, "and what was typed is not shown"
    for _ in range(9):
        assert pages.log_in("", **somebody)[0] == 401
    status, headers, page = pages.log_in(OPERATOR, **somebody)
    assert (status, "Too many wrong tokens" in page) == (429, True)
    assert 1 <= int(headers["retry-after"]) <= 60
    assert pages.log_in(OPERATOR, X_Forwarded_For="192.0.2.8")[0] == 303, "others may"
    assert pages.ask("GET", "/", OPERATOR, **somebody)[0] == 200, "and whoever is in stays in"


def test_whoever_is_in_is_led_on(pages: Pages) -> None:
    status, headers, _ = pages.ask("GET", "/login?next=%2Fworkers", VIEWER)
    assert (status, headers["location"]) == (303, "/workers")
    assert pages.ask("GET", "/login?next=%2Fworkers", "organon_1234_wrong")[0] == 200


def test_the_form_stands_by_itself(pages: Pages) -> None:
    _, headers, page = pages.ask("GET", "/login")
    assert '<label for="token">' in page
    assert 'method="post" action="/login"' in page
    assert "prefers-color-scheme: dark" in page
    assert "http" not in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_a_form_of_another_site_or_none_at_all_is_refused(pages: Pages) -> None:
    assert pages.log_in(OPERATOR, Sec_Fetch_Site="cross-site")[0] == 403
    assert pages.log_in(OPERATOR, Origin="http://elsewhere.example")[0] == 403
    assert pages.log_in(OPERATOR, Origin="null", Sec_Fetch_Site="same-origin")[0] == 303
    assert pages.ask("POST", "/logout", OPERATOR, Sec_Fetch_Site="cross-site")[0] == 403
    assert pages.ask("POST", "/login", body="token=" + "x" * 10_000)[0] == 400
    assert pages.ask("POST", "/login", body="&".join("abcdefghijklmnop"))[0] == 400


def test_the_way_out(pages: Pages) -> None:
    status, _, page = pages.ask("GET", "/logout", OPERATOR)
    assert (status, 'method="post" action="/logout"' in page) == (200, True)
    status, headers, _ = pages.ask("POST", "/logout", OPERATOR)
    assert (status, headers["location"]) == (303, "/login")
    assert headers["set-cookie"].startswith(f'{COOKIE}=""; ')
    assert "Max-Age=0" in headers["set-cookie"]


def test_tokens_stand_in_no_log(pages: Pages) -> None:
    pages.log_in(OPERATOR)
    assert OPERATOR not in pages.home.logs()
    assert VIEWER not in pages.home.logs()
