"""What is logged: a JSON object or a line, with campaign, block and step, and no secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from experiments_db.database import Database
from orchestrator import tokens
from orchestrator.advance import advance
from orchestrator.logs import Redacted, about, note, output_of, start_logging
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import create

log = logging.getLogger("organon")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("organon")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def logged(settings: Settings, **values: str) -> io.StringIO:
    stream = io.StringIO()
    start_logging(settings.model_copy(update=values), stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_with_what_they_are_about(settings: Settings) -> None:
    stream = logged(settings, log_format="json")
    with about(block=3):
        note(campaign="abc", step=7)
        log.info("one %s\nof two lines", "message")
    log.warning("outside")
    first, second = lines(stream)
    assert first["message"] == "one message\nof two lines"
    assert {name: first[name] for name in ("level", "logger", "block", "campaign", "step")} == {
        "level": "info", "logger": "organon", "block": 3, "campaign": "abc", "step": 7,
    }  # fmt: skip
    assert second.keys() == {"time", "level", "logger", "process", "message"}


def test_text_for_people(settings: Settings) -> None:
    stream = logged(settings)
    with about(campaign="abc"):
        log.warning("slow")
    assert stream.getvalue().endswith(" WARNING slow [campaign=abc]\n")


def test_levels(settings: Settings) -> None:
    stream = logged(settings, log_level="warning", log_format="json")
    log.info("not this")
    logging.getLogger("other").info("nor this")
    log.warning("this")
    assert [line["message"] for line in lines(stream)] == ["this"]


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_secret_gets_through(settings: Settings, database: Database, log_format: str) -> None:
    token = tokens.create_token(database, "bench", "operator")
    secretive = settings.model_copy(
        update={
            "api_token": SecretStr("e5a1c2d3f4b5a697"),
            "database_url": "postgresql://organon:p%40ss-word-1@host/organon",
            "broker_url": "redis://:broker-word-2@host/0",
        }
    )
    stream = logged(secretive, log_format=log_format)
    log.warning("asked with %s and e5a1c2d3f4b5a697 of %s", token, secretive.database_url)
    log.warning("p@ss-word-1 at amqp://me:other-word-3@elsewhere//")
    try:
        raise ValueError(f"no answer from {secretive.broker_url}")
    except ValueError:
        log.exception("it failed")
    text = stream.getvalue()
    for secret in (token.rpartition("_")[2], "e5a1c2d3f4b5a697", "word-1", "word-2", "word-3"):
        assert secret not in text
    assert text.count("***") >= 5
    assert "no answer from redis://:***@host/0" in text


def test_a_block_that_is_advanced_says_which(settings: Settings, database: Database) -> None:
    campaign = create(settings, database, laboratory="simulate", budget=2)
    stream = logged(settings, log_format="json", log_level="debug")
    with about(block=campaign.blocks[0]):
        assert advance(database, settings, campaign.blocks[0]) == "finished"
    found = [(line["message"], line["campaign"], line["block"], line.get("step")) for line in lines(stream)]
    block = campaign.blocks[0]
    assert found == [
        ("step recorded", campaign.id, block, 0),
        ("step recorded", campaign.id, block, 1),
        ("block finished", campaign.id, block, 1),
    ]


def test_a_short_secret_does_not_blank_out_every_line(settings: Settings) -> None:
    short = settings.model_copy(update={"broker_url": "redis://:a@host/0"})
    assert Redacted(short).hide("a banana at redis://:a@host/0") == "a banana at redis://:***@host/0"


def test_where_started_processes_print(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    with output_of(settings, "worker.log") as file:
        assert not isinstance(file, int)
        file.write(b"kept\n")
    assert (settings.folder / "logs" / "worker.log").read_text() == "kept\n"
    with capfd.disabled(), output_of(settings.model_copy(update={"log_target": "stderr"}), "worker.log") as number:
        assert number == 2
