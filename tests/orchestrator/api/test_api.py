"""The HTTP interface over a real server: who may do what, what is refused, and how."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from sqlalchemy import select

from domains import catalogue
from experiments_db.database import Database
from experiments_db.models import Block
from orchestrator import tokens
from orchestrator.api.app import make_app
from orchestrator.api.bounded import MAX_BODY, BoundedBody
from orchestrator.client import Client, ClientError
from orchestrator.errors import RequestError
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import Campaign, create, velocity


@pytest.fixture
def address(settings: Settings, database: Database) -> Iterator[str]:
    """A server of this record at a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = uvicorn.Server(
            uvicorn.Config(make_app(settings, database), log_level="critical", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"127.0.0.1:{free.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def operator(database: Database) -> str:
    return tokens.create_token(database, "bench", "operator")


Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(address: str, operator: str) -> Ask:
    """A request as anybody could make it: status, and the JSON that came back."""

    def send(method: str, path: str, body: Any = None, token: str | None = operator) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(address, timeout=30)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    return send


def waiting(settings: Settings, database: Database, **values: Any) -> tuple[Campaign, int]:
    campaign = create(settings, database, **values)
    campaign.advance()
    return campaign, campaign.waiting()[0]["id"]


def test_ask_and_tell_to_the_end(settings: Settings, database: Database, address: str, operator: str) -> None:
    with Client(f"http://{address}", operator, by="Ada") as client:
        created = client.create(
            domain="enzyme-kinetics", laboratory="manual", budget=2, particles=100, policy="random", batch=2
        )
        assert client.ask(created) is None, "no worker has been at it"
        campaign = Campaign(settings, database, created, _blocks(database, created))
        campaign.advance()
        first, second = client.ask(created), client.ask(created)
        assert first is not None
        assert second is not None
        assert [entry.id for entry in client.mine(created)] == [first.id, second.id]
        assert client.campaign(created)["waiting"] == {"proposed": 0, "open": 2, "overdue": 0}
        client.tell(second.id, velocity({"design": second.design}))
        client.tell(second.id, velocity({"design": second.design}))  # as after a lost answer
        client.fail(first.id, "no light")
        campaign.advance()
        assert client.ask(created, wait=5) is None, "it has ended"
        assert client.campaign(created)["finding"]["experiments"] == 2
        client.correct(first.id, {"velocity": 50}, reason="there was light")
        campaign.advance()
        client.withdraw(second.id, reason="dirty")
        campaign.advance()
        assert [line["id"] for line in client.campaigns()] == [created]
    assert {line["answered_by"] for line in campaign.all()} == {"Ada (bench)"}


def _blocks(database: Database, campaign: str) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Block.id).where(Block.campaign_id == campaign)))  # type: ignore[call-overload,arg-type]


def test_approval_and_refusal(settings: Settings, database: Database, address: str, operator: str) -> None:
    campaign, suggestion = waiting(settings, database, laboratory="simulate", approval=True, budget=1)
    with Client(f"http://{address}/", operator) as client:
        client.reject(suggestion, "too dear")
        campaign.advance()
        (other,) = client.pending(campaign.id)
        client.approve(other.id, {"substrate": 0.5})
        assert campaign.advance() == ["finished"]
        with pytest.raises(ClientError, match="is recorded; it is too late for that") as caught:
            client.approve(other.id)
        assert caught.value.status == 409
    assert campaign.experiments()[0]["design"] == {"substrate": 0.5}


def test_a_document_may_be_handed_over(ask: Ask) -> None:
    text = catalogue.path("source-location").read_text()
    assert ask("POST", "/v1/campaigns", {"document": {"text": text}})[0] == 201
    status, answer = ask("POST", "/v1/campaigns", {"document": {"text": "name: x\nformat: 1\n"}})
    assert status == 422
    assert "<text>" in answer["error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "name a domain of the catalogue"),
        ({"domain": "enzime-kinetics"}, "the catalogue has no domain 'enzime-kinetics'"),
        ({"domain": "/etc/passwd"}, "body.domain: String should match pattern"),
        ({"domain": "ces", "colour": "red"}, "body.colour: Extra inputs are not permitted"),
        ({"domain": "ces", "runs": 10**9}, "body.runs: Input should be less than or equal to 10000"),
        ({"domain": "ces", "laboratory": "command:rm"}, "command:rm is not allowed here"),
        ({"domain": "ces", "laboratory": "simulate\0"}, "a zero character"),
        ({"domain": "ces", "policy": "best"}, "there is no policy 'best'"),
        ({"domain": "ces", "data": {"file": "x.csv", "text": "a,b"}}, "has no column"),
        ({"document": {"text": "replays: {a: {file: /etc/passwd}}"}}, "format"),
    ],
)
def test_a_campaign_that_cannot_be(ask: Ask, body: Any, message: str) -> None:
    status, answer = ask("POST", "/v1/campaigns", body)
    assert status == 422
    assert message in answer["error"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "JSON")),
        (b"\xff\xfe", (400, "body")),
        (b"[" * 100_000, (400, "body")),
        ({"outcome": {"velocity": "high"}}, (422, "velocity")),
        ({"outcome": {"velocity": 10**400}}, (422, "not a finite number")),
        (b'{"outcome": {"velocity": NaN}}', (422, "not a finite number")),
        (b'{"outcome": {"\\ud800": 1}}', (422, "unknown ?")),
        ({"outcome": {"velocity": 1}, "by": "\ud800"}, (422, "half a surrogate pair")),
        ({"outcome": {"velocity": 1}, "design": {"substrate": -1}}, (422, "outside its range")),
        ({"outcome": {"velocity": 1}, "design": {"substrate": None}}, (422, "body.design")),
    ],
)
def test_a_result_that_cannot_be(
    settings: Settings, database: Database, ask: Ask, body: Any, expected: tuple[int, str]
) -> None:
    campaign, suggestion = waiting(settings, database)
    found, answer = ask("POST", f"/v1/suggestions/{suggestion}/tell", body)
    assert found == expected[0]
    assert expected[1] in answer["error"]
    assert campaign.waiting()[0]["status"] == "open"


def test_what_is_not_there(ask: Ask) -> None:
    assert ask("GET", "/v1/campaigns/abc")[0] == 404
    assert ask("GET", "/v1/suggestions/7")[0] == 404
    assert ask("GET", f"/v1/suggestions/{2**40}")[0] == 422
    assert ask("GET", "/v1/nothing") == (404, {"error": "GET /v1/nothing: Not Found"})
    assert ask("DELETE", "/v1/campaigns")[0] == 405


class TestAccess:
    def test_without_a_token_nothing_opens(self, ask: Ask, operator: str) -> None:
        forged = operator[:-1] + ("a" if operator[-1] != "a" else "b")
        for token in (None, "", "organon_", "organon_zz_", forged, operator.split("_")[2], "é" * 30):
            try:
                status, answer = ask("GET", "/v1/campaigns", token=token)
            except UnicodeEncodeError:
                continue  # no client sends that
            assert status == 401
            assert "a token is needed" in answer["error"]

    def test_every_route_needs_one(self, ask: Ask) -> None:
        described = ask("GET", "/openapi.json", token=None)[1]
        assert "/metrics" in described["paths"], "which is open to this machine: see test_monitoring"
        for path, methods in described["paths"].items():
            for method in methods if path != "/metrics" else ():
                place = path.replace("{campaign}", "abc").replace("{suggestion}", "1")
                body = {"outcome": {}, "reason": "x"} if method == "post" else None
                status, _ = ask(method.upper(), place, body, token=None)
                assert status == (200 if path in ("/health", "/health/live", "/health/ready") else 401), path

    def test_a_viewer_may_look_and_not_act(self, settings: Settings, database: Database, ask: Ask) -> None:
        token = tokens.create_token(database, "wall", "viewer")
        campaign, suggestion = waiting(settings, database)
        assert ask("GET", f"/v1/campaigns/{campaign.id}/suggestions", token=token)[0] == 200
        acts = {
            "/v1/campaigns": {"domain": "ces"},
            f"/v1/campaigns/{campaign.id}/ask": None,
            f"/v1/campaigns/{campaign.id}/cancel": None,
            f"/v1/suggestions/{suggestion}/tell": {"outcome": {"velocity": 1}},
        }
        for path, body in acts.items():
            status, answer = ask("POST", path, body, token=token)
            assert status == 403
            assert "the token of wall may look and not act" in answer["error"]
        assert campaign.waiting()[0]["status"] == "open"

    def test_a_revoked_token_opens_nothing(self, database: Database, ask: Ask, operator: str) -> None:
        assert ask("GET", "/v1/campaigns")[0] == 200
        tokens.revoke_token(database, operator.split("_")[1])
        assert ask("GET", "/v1/campaigns")[0] == 401
        with pytest.raises(RequestError, match="opens anything"):
            tokens.revoke_token(database, operator.split("_")[1])

    def test_only_a_hash_is_kept(self, settings: Settings, database: Database, operator: str) -> None:
        secret = operator.split("_", 2)[2]
        (listed,) = tokens.list_tokens(database)
        assert listed["name"] == "bench"
        files = [file for file in settings.folder.rglob("*") if file.is_file()]
        assert files
        assert not any(secret.encode() in file.read_bytes() for file in files)

    def test_the_token_of_the_settings(self, settings: Settings, database: Database) -> None:
        own = settings.model_copy(update={"api_token": type(settings.api_token)("a" * 32)})
        assert tokens.holder(own, database, "a" * 32) == tokens.Holder("ORGANON_API_TOKEN", "operator")
        assert tokens.holder(own, database, "a" * 31) is None
        assert "aaaa" not in repr(own)
        short = settings.model_copy(update={"api_token": type(settings.api_token)("secret")})
        with pytest.raises(RequestError, match="has 6 characters; at least 20"):
            tokens.check_own_token(short)

    @pytest.mark.parametrize(
        ("name", "role"), [("", "viewer"), ("x" * 101, "viewer"), ("a\n", "viewer"), ("a", "root")]
    )
    def test_tokens_that_are_not_made(self, database: Database, name: str, role: str) -> None:
        with pytest.raises(RequestError, match=r"--name|--role"):
            tokens.create_token(database, name, role)


class TestBounds:
    def test_a_body_that_is_too_large(self, ask: Ask) -> None:
        status, answer = ask("POST", "/v1/campaigns", b" " * (MAX_BODY + 1))
        assert status == 413
        assert f"may have {MAX_BODY} bytes" in answer["error"]

    def test_a_body_that_does_not_come(self, settings: Settings, database: Database) -> None:
        sent: list[Any] = []

        async def never() -> Any:
            await asyncio.sleep(60)

        async def send(message: Any) -> None:
            sent.append(message)

        bounded = BoundedBody(make_app(settings, database), seconds=0.05)
        asyncio.run(bounded({"type": "http", "method": "POST", "path": "/v1/campaigns", "headers": []}, never, send))
        assert sent[0]["status"] == 408


def test_a_client_says_what_is_wrong(address: str) -> None:
    with (
        Client(f"http://{address}", "wrong") as client,
        pytest.raises(ClientError, match="a token is needed") as caught,
    ):
        client.campaigns()
    assert caught.value.status == 401
    with pytest.raises(ClientError, match="is no address of Organon"):
        Client("localhost:8502", "x")
    with Client("http://127.0.0.1:9", "x") as client, pytest.raises(ClientError, match="does not answer"):
        client.campaigns()
