"""The command line: bad input is one clear message with the way out, status 2, nothing written; --json parses."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from domains import catalogue
from experiments_db import queries
from experiments_db.database import Database, connect
from orchestrator.advance import advance
from orchestrator.settings import Settings, load_settings
from tests.orchestrator.commands import Ended, Organon


def refused(ended: Ended, *words: str) -> None:
    """One message on the error stream that holds these words; status 2; nothing on standard output."""
    assert ended.status == 2, ended
    assert ended.out == ""
    assert ended.err.startswith("organon: ")
    assert ended.err.count("organon: ") == 1
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err


def nothing_recorded(home: Path) -> bool:
    if not (home / "organon.db").exists():
        return True
    with sqlite3.connect(home / "organon.db") as connection:
        return not any(connection.execute(f"SELECT 1 FROM {t}").fetchall() for t in ("domain", "campaign", "run"))


@pytest.mark.parametrize("command", ["run", "create"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--domain", "enzime-kinetics"], ["'enzime-kinetics'", "did you mean 'enzyme-kinetics'", "domain list"]),
        (["--domain", "missing.yaml"], ["missing.yaml"]),
        (["--domain", "enzyme-kinetics", "--policy", "randon"], ["--policy", "did you mean 'random'"]),
        (
            ["--domain", "enzyme-kinetics", "--laboratory", "bench"],
            ["--laboratory 'bench'", "it has simulate, replay:"],
        ),
        (["--domain", "enzyme-kinetics", "--laboratory", "replay:no"], ["'replay:no'", "replay:puromycin-treated"]),
        (["--domain", "enzyme-kinetics", "--laboratory", "none"], ["analyses those already made", "--data FILE.csv"]),
        (["--domain", "enzyme-kinetics", "--budget", "-1"], ["--budget -1", "greater than 0"]),
        (["--domain", "enzyme-kinetics", "--budget", "0"], ["--budget 0", "greater than 0"]),
        (["--domain", "enzyme-kinetics", "--budget", "nan"], ["--budget nan", "finite"]),
        (["--domain", "enzyme-kinetics", "--budget", "0.9"], ["a budget of 0.9", "pays for no experiment"]),
        (["--domain", "enzyme-kinetics", "--runs", "0"], ["--runs 0", "greater than or equal to 1"]),
        (["--domain", "enzyme-kinetics", "--seed", "-1"], ["--seed -1", "greater than or equal to 0"]),
        (["--domain", "enzyme-kinetics", "--particles", "1"], ["--particles 1", "greater than or equal to 50"]),
        (["--domain", "enzyme-kinetics", "--moves", "0"], ["--moves 0", "greater than or equal to 1"]),
        (["--domain", "enzyme-kinetics", "--batch", "65"], ["--batch 65", "less than or equal to 64"]),
        (["--domain", "enzyme-kinetics", "--stop-width", "km"], ["--stop-width km", "NAME=WIDTH"]),
        (["--domain", "enzyme-kinetics", "--stop-width", "vmx=1"], ["'vmx'", "did you mean 'vmax'"]),
        (["--domain", "enzyme-kinetics", "--stop-probability", "1.5"], ["--stop-probability 1.5", "less than 1"]),
        (
            ["--domain", "enzyme-kinetics", "--stop-information", "1", "--policy", "random"],
            ["--stop-information 1", "scores no designs", "expected-information-gain"],
        ),
    ],
)
def test_a_request_that_cannot_be_carried_out(
    organon: Organon, home: Path, command: str, arguments: list[str], words: list[str]
) -> None:
    refused(organon("campaign", command, *arguments), *words)
    assert nothing_recorded(home)
    assert not (home / "broker").exists(), "no process was to be started"


@pytest.mark.parametrize("command", ["run", "create"])
@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("design.substrate,outcome.velocity\n9,1\n", [], ["made.csv:2", "'design.substrate'", "outside its range"]),
        ("substrate,outcome.velocity\n1,1\n", [], ["made.csv:1", "'substrate' is to be called 'design.substrate'"]),
        ("design.substrate,outcome.velocity\n1,fast\n", ["--laboratory", "none"], ["'outcome.velocity': 'fast'"]),
        ("run,design.substrate,outcome.velocity\n0,1,1\n1,1,1\n", [], ["made.csv:3", "keep the rows of one run"]),
        (None, [], ["made.csv", "there is no such file"]),
    ],
)
def test_data_that_do_not_fit(
    organon: Organon, home: Path, tmp_path: Path, command: str, text: str | None, *, arguments: list[str],
    words: list[str],
) -> None:  # fmt: skip
    if text is not None:
        (tmp_path / "made.csv").write_text(text)
    given = ["--domain", "enzyme-kinetics", "--data", str(tmp_path / "made.csv"), *arguments]
    refused(organon("campaign", command, *given), *words)
    assert nothing_recorded(home)
    assert not (home / "broker").exists(), "no process was to be started"


def test_show_says_what_a_campaign_started_from(organon: Organon, tmp_path: Path) -> None:
    (tmp_path / "made.csv").write_text("design.substrate,outcome.velocity\n0.5,150\n1.0,200\n")
    created = organon("campaign", "create", "--domain", "enzyme-kinetics", "--laboratory", "none", "--data",
                      str(tmp_path / "made.csv"), "--json")  # fmt: skip
    (campaign,) = json.loads(created.out).values()
    assert "started from 2 experiments of made.csv (SHA-256 " in organon("campaign", "show", campaign).out
    assert json.loads(organon("campaign", "show", campaign, "--json").out)["data"]["experiments"] == 2


def test_show_says_how_a_campaign_is_conducted(organon: Organon) -> None:
    asked = ["--batch", "4", "--stop-probability", "0.99", "--stop-width", "km=0.01", "--stop-width", "vmax=10",
             "--stop-information", "0.05"]  # fmt: skip
    created = organon("campaign", "create", "--domain", "enzyme-kinetics", *asked, "--json")
    (campaign,) = json.loads(created.out).values()
    settings = json.loads(organon("campaign", "show", campaign, "--json").out)["settings"]
    assert settings["batch"] == 4
    assert settings["stop"] == {"probability": 0.99, "widths": {"km": 0.01, "vmax": 10.0}, "information": 0.05}
    lines = organon("campaign", "show", campaign).out.replace("\n", " ")
    assert (
        "batches of 4 stops once a law is at least 0.99 probable and the 90 % interval of km is at most 0.01" in lines
    )


@pytest.fixture
def bad_domain(tmp_path: Path) -> Callable[[str], Path]:
    """Files with what goes wrong in practice."""
    good = catalogue.path("enzyme-kinetics").read_text()
    table = (catalogue.path("enzyme-kinetics").parent / "data" / "puromycin.csv").read_text()
    texts = {
        "wrong key": good.replace("designs:", "designz:"),
        "wrong name": good.replace("vmax * substrate /", "vmaxx * substrate /", 1),
        "malformed": good + "\n  - [unclosed",
        "empty": "",
        "a list": "- 1\n- 2\n",
        "missing column": good,
        "missing table": good.replace("puromycin.csv", "no.csv"),
    }

    def write(which: str) -> Path:
        path = tmp_path / "domain.yaml"
        path.write_text(texts[which])
        (tmp_path / "puromycin.csv").write_text(table.replace("conc", "konc") if which == "missing column" else table)
        return path

    return write


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("wrong key", ["domain.yaml", "designz", "designs"]),
        ("wrong name", ["domain.yaml", "vmaxx", "vmax"]),
        ("malformed", ["domain.yaml"]),
        ("empty", ["domain.yaml"]),
        ("a list", ["domain.yaml"]),
        ("missing column", ["puromycin.csv", "conc"]),
        ("missing table", ["no.csv"]),
    ],
)
@pytest.mark.parametrize(
    "command",
    [["domain", "check"], ["domain", "show"], ["campaign", "run", "--domain"], ["campaign", "create", "--domain"]],
)
def test_a_domain_that_is_not_in_order(
    organon: Organon, home: Path, bad_domain: Callable[[str], Path], *, command: list[str], which: str, words: list[str]
) -> None:
    refused(organon(*command, str(bad_domain(which))), *words)
    assert nothing_recorded(home)


def test_a_broker_that_is_not_there(organon: Organon, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_BROKER_URL", "redis://127.0.0.1:1")
    words = ["redis://127.0.0.1:1", "does not answer", "unset that variable"]
    refused(organon("campaign", "run", "--domain", "enzyme-kinetics"), *words)
    refused(organon("campaign", "create", "--domain", "enzyme-kinetics"), *words)
    refused(organon("worker"), *words)
    refused(organon("start"), *words)
    assert nothing_recorded(home)


@pytest.mark.parametrize("url", ["nonsense", "redis://127.0.0.1:notaport", "carrier-pigeon://home", "redis://["])
def test_a_broker_address_that_is_none(organon: Organon, home: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ORGANON_BROKER_URL", url)
    refused(organon("campaign", "create", "--domain", "enzyme-kinetics"), "broker", "ORGANON_BROKER_URL")
    assert nothing_recorded(home)


COMMANDS = [
    ["campaign", "run", "--domain", "enzyme-kinetics"],
    ["campaign", "create", "--domain", "enzyme-kinetics"],
    ["campaign", "list"],
    ["campaign", "show", "abc"],
    ["db", "query", "select 1"],
    ["worker"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_from_a_newer_version(organon: Organon, home: Path, command: list[str]) -> None:
    connect(load_settings().database).close()
    with sqlite3.connect(home / "organon.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
    before = (home / "organon.db").read_bytes()
    refused(organon(*command), "Upgrade Organon", "organon.db", "'ffff'")
    assert (home / "organon.db").read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("url", ["garbage", "oracle://x/y", "sqlite:////proc/none/organon.db"])
def test_a_database_address_that_is_none(
    organon: Organon, monkeypatch: pytest.MonkeyPatch, command: list[str], url: str
) -> None:
    monkeypatch.setenv("ORGANON_DATABASE_URL", url)
    refused(organon(*command))


@pytest.mark.parametrize(
    ("name", "value"),
    [("BLOCK_RUNS", "abc"), ("BLOCK_RUNS", "0"), ("TASK_SECONDS", "-1"), ("UI_PORT", "99999"), ("LEASE_SECONDS", "")],
)
def test_a_setting_that_is_wrong(organon: Organon, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ORGANON_{name}", value)
    refused(organon("campaign", "create", "--domain", "enzyme-kinetics"), f"ORGANON_{name}", repr(value))


def test_a_home_that_is_a_file(organon: Organon, home: Path) -> None:
    home.write_text("")
    for command in COMMANDS:
        refused(organon(*command), str(home))


@pytest.mark.parametrize(
    ("out", "words"),
    [("missing/out.csv", ["there is no folder"]), ("out.txt", [".csv or .parquet"]), ("out", ["--out"])],
)
def test_an_export_that_cannot_be_written(
    organon: Organon, home: Path, tmp_path: Path, out: str, words: list[str]
) -> None:
    target = str(tmp_path / out)
    refused(organon("campaign", "run", "--domain", "enzyme-kinetics", "--out", target), *words)
    refused(organon("campaign", "export", "abc", "--out", target), *words)
    assert nothing_recorded(home)


def test_an_unknown_campaign(organon: Organon, tmp_path: Path) -> None:
    refused(organon("campaign", "show", "0123456789ab"), "'0123456789ab'", "campaign list")
    refused(organon("campaign", "export", "0123456789ab", "--out", str(tmp_path / "o.csv")), "campaign list")
    refused(organon("campaign", "list", "--status", "done"), "'done'", "scheduled")
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(
    "statement",
    ["delete from campaign", "drop table run", "select 1; delete from run", "nonsense", "", "pragma user_version=3"],
)
def test_the_console_only_reads(organon: Organon, statement: str) -> None:
    refused(organon("db", "query", statement))


@pytest.mark.parametrize(
    "arguments",
    [
        ["campaign", "run"],
        ["campaign", "run", "--domain", "x", "--runs", "many"],
        ["nonsense"],
        ["worker", "--processes", "0"],
    ],
)
def test_usage_errors(organon: Organon, arguments: list[str]) -> None:
    ended = organon(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "Usage" in ended.err


@pytest.fixture
def finished(organon: Organon, settings: Settings, database: Database) -> str:
    """A campaign created by command and carried out in this process."""
    created = organon("campaign", "create", "--domain", "enzyme-kinetics", "--policy", "random", "--budget", "2",
                      "--particles", "100", "--json")  # fmt: skip
    (campaign,) = json.loads(created.out).values()
    with database.read() as session:
        (run,) = queries.campaign_runs(session, campaign)
    assert advance(database, settings, run.block_id) == "finished"
    return str(campaign)


def test_json(organon: Organon, finished: str, tmp_path: Path) -> None:
    def ask(*arguments: str) -> Any:
        ended = organon(*arguments, "--json")
        assert (ended.status, ended.err) == (0, "")
        return json.loads(ended.out)

    assert set(catalogue.names()) == {domain["name"] for domain in ask("domain", "list")}
    shown = ask("domain", "show", "enzyme-kinetics")
    assert shown["document"]["mechanisms"]["hill"]["parameters"]["n"] == {
        "prior": {"lognormal": [0.0, 0.5]},
        "label": "Hill coefficient",
    }
    assert len(shown["identity"]) == 64
    assert ask("domain", "check", "source-location")["ok"] is True
    status = ask("campaign", "show", finished[:6])
    assert (status["id"], status["status"], status["progress"]["share"]) == (finished, "finished", 1.0)
    assert status["finding"]["text"].startswith("How fast does this enzyme work")
    assert [campaign["id"] for campaign in ask("campaign", "list")] == [finished]
    assert ask("campaign", "export", finished, "--out", str(tmp_path / "o.csv"))["rows"] == 2
    assert ask("db", "query", "select count(*) as n from experiment") == [{"n": 2}]


def test_for_people(organon: Organon, finished: str, tmp_path: Path) -> None:
    def ask(*arguments: str) -> str:
        ended = organon(*arguments)
        assert (ended.status, ended.err) == (0, "")
        return ended.out

    assert "expanding-universe" in ask("domain", "list")
    shown = ask("domain", "show", "enzyme-kinetics")
    for part in ("substrate", "0.01 to 2, evenly in the logarithm", "vmax·substrate^n", "replay:puromycin-treated"):
        assert part in shown
    assert "The domain is in order." in ask("domain", "check", "source-location")
    assert finished in ask("campaign", "list")
    assert "finished, 100% done, 2 experiments" in ask("campaign", "show", finished)
    assert "2 experiments written to" in ask("campaign", "export", finished, "--out", str(tmp_path / "o.parquet"))
    assert "only the first 1 rows" in organon("db", "query", "select * from experiment", "--limit", "1").err


def test_a_law_that_gives_nan_is_found_by_the_check(organon: Organon, tmp_path: Path) -> None:
    ended = organon("domain", "check", str(nan_domain(tmp_path)))
    assert ended.status == 2
    assert "not in order" in ended.out


def nan_domain(folder: Path) -> Path:
    """A domain that reads well, and whose law is NaN for every world."""
    document = yaml.safe_load(catalogue.path("source-location").read_text())
    document |= {
        "name": "broken",
        "outcomes": {"log_intensity": {"normal": {"mean": "log(-1 - intensity)", "sd": 0.5}}},
    }
    path = folder / "broken.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def children_seconds() -> float:
    """Of the processor, so that it does not matter what else the machine does."""
    used = psutil.Process().cpu_times()
    return used.children_user + used.children_system


def test_the_help_is_quick_and_needs_nothing_that_is_slow_to_import() -> None:
    code = (
        "import sys; sys.argv = ['organon', '--help']\nfrom orchestrator.cli.main import main\n"
        "slow = ('torch', 'scipy', 'alembic', 'pandas', 'matplotlib', 'streamlit', 'fastapi')\n"
        "try: main()\nfinally: print([name for name in slow if name in sys.modules])"
    )
    before = children_seconds()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert children_seconds() - before < 5  # about 1
    assert done.stdout.splitlines()[-1] == "[]"
    for command in ("domain", "campaign", "worker", "start", "doctor", "demo", "db"):
        assert command in done.stdout
