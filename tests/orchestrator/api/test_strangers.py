"""What a stranger's document or request tries over HTTP: it is refused in bounded time, reads nothing of this machine,
runs nothing, writes nothing, and the next request is answered as ever."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from experiments_db.database import Database
from orchestrator import tokens
from orchestrator.advance import advance
from orchestrator.api.app import make_app
from orchestrator.services import campaign_status
from orchestrator.settings import Settings

SECONDS = 20.0  # any refusal takes less, on a busy machine too
SECRET = "the-secret-of-this-machine"

SOUND = """\
format: 1
name: short
title: Short
designs: {x: {real: [0, 1]}}
parameters: {k: {prior: {normal: [0, 1]}}}
mechanisms: {m: {let: {law: "k * x"}}}
outcomes: {y: {normal: {mean: law, sd: 1}}}
budget: 1
goal: learn
"""
REPLAY = "replays: {a: {file: FILE, columns: {x: x, y: y}, source: made up}}\n"

Post = Callable[..., Any]


@pytest.fixture
def post(settings: Settings, database: Database) -> Iterator[Post]:
    """Asks for a campaign of a document; the answer came in time, and another request is answered after it."""
    headers = {"Authorization": f"Bearer {tokens.create_token(database, 'stranger', 'operator')}"}
    with TestClient(make_app(settings, database), raise_server_exceptions=False) as client:

        def ask(text: str, attachments: dict[str, str] | None = None, **more: Any) -> Any:
            document = {"text": text, "attachments": attachments or {}}
            body = {"document": document, "laboratory": "simulate", "policy": "random", "particles": 100, **more}
            began = time.monotonic()
            answer = client.post("/v1/campaigns", json=body, headers=headers)
            assert time.monotonic() - began < SECONDS
            assert client.get("/health").status_code == 200
            for campaign in client.get("/v1/campaigns", headers=headers).json():
                shown = client.get(f"/v1/campaigns/{campaign['id']}", headers=headers)
                assert shown.status_code == 200
            return answer

        yield ask


def refused(answer: Any) -> str:
    """What was wrong, in bounded words that tell nothing of this machine."""
    assert answer.status_code in {400, 413, 422}, answer.text
    message = str(answer.json()["error"])
    assert 0 < len(message) <= 4000
    assert SECRET not in message
    assert "Traceback" not in message
    return message


def nothing_on_record(database: Database) -> bool:
    with database.read() as session:
        return session.connection().exec_driver_sql("SELECT count(*) FROM campaign").scalar() == 0


def test_the_document_that_the_attempts_are_made_of_is_sound(post: Post) -> None:
    assert post(SOUND).status_code == 201


LAUGHS = "a: &a [x, x, x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghi"))
HEAVY = {
    "a billion laughs": LAUGHS + SOUND,
    "a formula of 1 MB": SOUND.replace("k * x", "x + " * 250_000 + "x"),
    "just below the size of a document": SOUND.replace("k * x", "x+" * 480_000 + "x"),
    "a hundred formulas of the longest": SOUND.replace("let: {", "let: {" + ", ".join(
        f"l{i}: \"{'x+' * 1990}x\"" for i in range(100)) + ", "),
    "brackets 100,000 deep": SOUND.replace("k * x", "(" * 100_000 + "x" + ")" * 100_000),
    "lists 100,000 deep": SOUND + "replays: " + "[" * 100_000 + "]" * 100_000 + "\n",
    "mappings 10,000 deep": SOUND + "replays: " + "{a: " * 10_000 + "1" + "}" * 10_000 + "\n",
    "a number of a million digits": SOUND.replace("budget: 1", "budget: " + "9" * 900_000),
    "a budget beyond floating point": SOUND.replace("budget: 1", "budget: 1e999"),
    "a merge of itself": SOUND + "<<: {<<: {budget: 2}}\n",
    "a tag that makes an object": SOUND.replace("title: Short", "title: !!python/object/apply:os.system ['true']"),
    "ten thousand designs": SOUND.replace("designs: {", "designs: {" + ", ".join(
        f"d{i}: {{real: [0, 1]}}" for i in range(10_000)) + ", "),
    "ten thousand laws": SOUND.replace("mechanisms: {", "mechanisms: {" + ", ".join(
        f"m{i}: {{let: {{law: x}}}}" for i in range(10_000)) + ", "),
}  # fmt: skip


@pytest.mark.parametrize("what", HEAVY)
@pytest.mark.timeout(90)
def test_heavy_documents(post: Post, database: Database, what: str) -> None:
    refused(post(HEAVY[what]))
    assert nothing_on_record(database)


@pytest.mark.parametrize("law", ["9**9**9**9**9**9 * x", "(10**300)**(10**300)", "exp(exp(exp(100)))", "x / 0"])
@pytest.mark.timeout(90)
def test_laws_that_blow_up_end_their_own_campaign(post: Post, settings: Settings, database: Database, law: str) -> None:
    created = post(SOUND.replace("k * x", law)).json()["id"]
    neighbour = post(SOUND).json()["id"]
    with database.read() as session:
        blocks = session.connection().exec_driver_sql("SELECT id FROM block ORDER BY id").scalars().all()
    for block in blocks:
        advance(database, settings, block)
    ended = campaign_status(database, created)
    assert ended["status"] == "failed"
    assert "not finite" in ended["message"]
    assert campaign_status(database, neighbour)["status"] == "finished"


@pytest.mark.parametrize(
    "escape",
    ["__import__('os').system('true')", "x.__class__", "(lambda: x)()", "[x for x in (1,)]", "open('/etc/passwd')",
     "f'{x}'", "x if (y := 1) else x", "getattr(x, 'a')", "exec('1')", "x; import os"],
)  # fmt: skip
def test_formulas_reach_no_python(post: Post, database: Database, escape: str) -> None:
    refused(post(SOUND.replace('"k * x"', f'"{escape}"')))
    assert nothing_on_record(database)


@pytest.mark.parametrize("absolute", [True, False])
def test_tables_are_not_looked_for_on_this_machine(
    post: Post, database: Database, tmp_path: Path, absolute: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "private.csv").write_text(f"x,y\n{SECRET},1\n")
    (tmp_path / "here" / "private.csv").write_text(f"x,y\n{SECRET},1\n")
    names = (str(tmp_path / "private.csv"),) if absolute else ("../private.csv", "private.csv", "./private.csv")
    for name in names:
        message = refused(post(SOUND + REPLAY.replace("FILE", name), laboratory="replay:a"))
        assert "is not attached to the document" in message or "leads outside" in message, message
    assert nothing_on_record(database)


@pytest.mark.parametrize("name", ["../up.csv", "/tmp/up.csv", "a/../../up.csv", "..\\up.csv", "x" * 5000, "\0"])
def test_attachments_are_written_nowhere(post: Post, settings: Settings, tmp_path: Path, name: str) -> None:
    def files() -> set[Path]:
        return {path for path in tmp_path.rglob("*") if "organon.db" not in path.name}

    before = files()
    answer = post(SOUND, {name: "x,y\n0.5,1\n"})
    assert answer.status_code in {201, 422}, "a text that nothing names"
    assert files() == before
    assert not Path("/tmp/up.csv").exists()


@pytest.mark.parametrize(
    "name", ["os", "os:system", "subprocess:Popen", "../evil", "orchestrator.cli.main:main", "builtins:eval", ""]
)
def test_python_laws_are_entry_points_and_nothing_else(post: Post, database: Database, name: str) -> None:
    text = SOUND.replace('mechanisms: {m: {let: {law: "k * x"}}}\n', f"python: '{name}'\n")
    refused(post(text.replace("outcomes: {y: {normal: {mean: law, sd: 1}}}\n", "")))
    assert nothing_on_record(database)


@pytest.mark.parametrize(
    "absurd",
    [{"runs": 10**9}, {"runs": -1}, {"particles": 10**9}, {"moves": 10**9}, {"batch": 10**9}, {"budget": -1},
     {"budget": "1e999"}, {"seed": 2**63}, {"due_hours": 1e300}, {"laboratory": "command:rm"},
     {"laboratory": "replay:../x"}, {"laboratory": "x" * 10_000}, {"policy": "../../etc/passwd"},
     {"policy": "a" * 10_000}, {"stop": {"probability": 7}}],
    ids=str,
)  # fmt: skip
def test_absurd_requests(post: Post, database: Database, absurd: dict[str, Any]) -> None:
    refused(post(SOUND, **absurd))
    assert nothing_on_record(database)


@pytest.mark.parametrize("budget", [1e15, 1e300, 1.7e308])
def test_a_budget_that_never_ends_is_only_a_number(post: Post, budget: float) -> None:
    answer = post(SOUND, budget=budget, runs=100)  # and the campaign is shown, as `post` sees to
    assert answer.status_code in {201, 422}


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "enzyme-kinetics.yaml", "~/.ssh/id_rsa"])
def test_a_catalogue_name_is_no_path(settings: Settings, database: Database, path: str) -> None:
    headers = {"Authorization": f"Bearer {tokens.create_token(database, 'stranger', 'operator')}"}
    with TestClient(make_app(settings, database), raise_server_exceptions=False) as client:
        answer = client.post("/v1/campaigns", json={"domain": path}, headers=headers)
    assert answer.status_code == 422
    assert "root:" not in answer.text
