"""Programs as laboratories: only those of the list, without a shell, bounded in time and room, with clear reasons."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments_db import record, suggestions
from experiments_db.database import Database
from experiments_db.suggestions import SuggestionRecord
from orchestrator.advance import advance
from orchestrator.commands import Command, commands, find_command
from orchestrator.errors import OrganonError, RequestError
from orchestrator.laboratories import command as programs
from orchestrator.laboratories.command import CommandLaboratory, ExperimentFailedError
from orchestrator.owner import this_process
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import create

ENZYME = """
import json, sys
asked = json.load(sys.stdin)
substrate = asked["design"]["substrate"]
json.dump({"outcome": {"velocity": 200 * substrate / (0.06 + substrate)}}, sys.stdout)
"""


def laboratory(code: str, *arguments: str, seconds: float = 20) -> CommandLaboratory:
    return CommandLaboratory("test", Command(run=(sys.executable, "-c", code, *arguments), seconds=seconds))


def allowed(settings: Settings, code: str, **more: Any) -> Settings:
    listed = {"enzyme": {"run": [sys.executable, "-c", code], **more}}
    return settings.model_copy(update={"commands": json.dumps(listed)})


def ask(code: str, *arguments: str, seconds: float = 20) -> dict[str, Any]:
    return laboratory(code, *arguments, seconds=seconds).ask({"design": {"x": 1}}, lambda: None)


def test_a_program_reads_json_and_writes_json() -> None:
    code = "import json, sys; json.dump({'outcome': {'y': json.load(sys.stdin)['design']['x'] + 1}}, sys.stdout)"
    assert ask(code) == {"y": 2}


def test_a_program_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_API_TOKEN", "a secret of some length")
    code = "import json, os; print(json.dumps({'outcome': {'env': sorted(os.environ), 'here': os.listdir('.')}}))"
    seen = ask(code)
    assert set(seen["env"]) - {"LC_CTYPE"} == {"PATH", "LANG", "HOME", "TMPDIR"}
    assert seen["here"] == []


def test_no_shell_sees_the_arguments(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    code = "import json, sys; print(json.dumps({'outcome': {'argument': sys.argv[1]}}))"
    assert ask(code, f"$(touch {marker}); `id`") == {"argument": f"$(touch {marker}); `id`"}
    assert not marker.exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('not json')", "the program's output is not JSON: 'not json'"),
        ("print('[1]')", "is to answer"),
        ('print(\'{"outcome": {}, "more": 1}\')', "is to answer"),
        ('print(\'{"failed": "no sample"}\')', "the program says: no sample"),
        ("import sys; sys.exit('the lamp is off')", "ended with status 1; it said: the lamp is off"),
        ("import os; os.kill(os.getpid(), 9)", "ended with signal 9"),
        ("while True: print('x' * 10000)", "wrote more than 1000000 bytes and was ended"),
        ("import sys\nwhile True: sys.stderr.write('x' * 10000)", "wrote more than 1000000 bytes and was ended"),
        ("", "output is not JSON: ''"),
    ],
)
def test_what_goes_wrong_has_a_reason(code: str, reason: str) -> None:
    with pytest.raises(ExperimentFailedError, match=reason.replace("[", r"\[")):
        ask(code)


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    file = tmp_path / "child"
    code = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); time.sleep(600)"
    )
    started = time.monotonic()
    with pytest.raises(ExperimentFailedError, match="took longer than its 2 seconds and was ended"):
        ask(code, str(file), seconds=2)
    assert time.monotonic() - started < 15
    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(file.read_text())):
        if psutil.Process(int(file.read_text())).status() == psutil.STATUS_ZOMBIE:
            break  # nobody has waited for it; it runs no more
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_program_that_is_not_there() -> None:
    gone = CommandLaboratory("gone", Command(run=("/no/such/program",)))
    with pytest.raises(ExperimentFailedError, match=r"/no/such/program cannot be started: No such file"):
        gone.ask({}, lambda: None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "ORGANON_COMMANDS is not JSON"),
        ("[1]", "not an object of programs by name"),
        ('{"a": 1}', "ORGANON_COMMANDS, a: input should be"),
        ('{"a": {"run": []}}', "ORGANON_COMMANDS, a.run: tuple should have at least 1 item"),
        ('{"a": {"run": ["ls"]}}', "the program ls needs its whole path, such as /usr/bin/ls"),
        ('{"a": {"run": ["/bin/ls"], "shell": true}}', "a.shell: extra inputs"),
        ('{"a": {"run": ["/bin/ls"], "seconds": 0}}', "a.seconds: input should be greater than 0"),
    ],
)
def test_a_list_that_cannot_be_used(settings: Settings, text: str, message: str) -> None:
    with pytest.raises(OrganonError, match=message):
        commands(settings.model_copy(update={"commands": text}))


def test_only_programs_on_the_list(settings: Settings) -> None:
    assert commands(settings) == {}
    with pytest.raises(RequestError, match="command:rm is not allowed here; ORGANON_COMMANDS lists: enzyme"):
        find_command(allowed(settings, ENZYME), "rm")


def test_a_campaign_in_which_a_program_answers(settings: Settings, database: Database) -> None:
    campaign = create(allowed(settings, ENZYME), database, laboratory="command:enzyme", budget=3, batch=2)
    assert campaign.advance() == ["finished"]
    for row in campaign.experiments():
        substrate = row["design"]["substrate"]
        assert row["outcome"]["velocity"] == pytest.approx(200 * substrate / (0.06 + substrate))
    assert {line["answered_by"] for line in campaign.all()} == {"command:enzyme"}


def test_a_program_that_fails_now_and_then(settings: Settings, database: Database, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    code = (
        f"import pathlib, sys; file = pathlib.Path({str(counter)!r})\n"
        "count = len(file.read_text()) if file.exists() else 0; file.write_text('x' * (count + 1))\n"
        'print(\'{"outcome": {"velocity": 50}}\' if count % 2 else \'{"outcome": {"velocity": "high"}}\')'
    )
    campaign = create(allowed(settings, code), database, laboratory="command:enzyme", budget=4)
    assert campaign.advance() == ["finished"]
    assert [row["outcome"]["velocity"] for row in campaign.experiments()] == [None, 50.0, None, 50.0]
    assert (
        campaign.all()[0]["failure"]
        == "outcome velocity: 'high' is not a finite number; write None where nothing came back"
    )


def test_a_program_that_goes_on_failing_ends_its_own_campaign(settings: Settings, database: Database) -> None:
    campaign = create(allowed(settings, "raise SystemExit(3)"), database, laboratory="command:enzyme", budget=9)
    assert campaign.advance() == ["finished"]
    status = campaign.status()
    assert status["status"] == "failed"
    assert (
        status["message"]
        == "the laboratory command:enzyme failed 3 times in a row, last: the program ended with status 3"
    )
    assert len(campaign.experiments()) == 2


def test_a_program_taken_off_the_list_ends_its_campaign(settings: Settings, database: Database) -> None:
    campaign = create(allowed(settings, ENZYME), database, laboratory="command:enzyme")
    assert advance(database, settings, campaign.blocks[0]) == "finished"
    assert "the laboratory command:enzyme is not allowed here" in campaign.status()["message"]


@pytest.mark.parametrize("repeatable", [False, True])
def test_an_experiment_during_which_the_worker_was_lost(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, repeatable: bool
) -> None:
    """Run again only where the list says that it may be: a sample is gone, a simulation is not."""
    campaign = create(allowed(settings, ENZYME, repeatable=repeatable), database, laboratory="command:enzyme", budget=1)

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(programs, "_converse", killed)
        with pytest.raises(KeyboardInterrupt):
            campaign.advance()
    (begun,) = _entries(database, campaign.id)
    assert (begun.status, begun.attempts) == ("open", 1)
    with database.write() as session:
        record.release_block(session, campaign.blocks[0], this_process())
    assert campaign.advance() == ["finished"]
    (row,) = campaign.experiments()
    assert (row["outcome"]["velocity"] is not None) == repeatable
    (ended,) = _entries(database, campaign.id)
    assert ended.attempts == (2 if repeatable else 1)
    assert (ended.failure is None) == repeatable


def _entries(database: Database, campaign: str) -> list[SuggestionRecord]:
    with database.read() as session:
        return suggestions.suggestions(session, campaign_id=campaign)
