"""Campaigns through the real queue: broker, pool, record, export."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from domains import catalogue

if TYPE_CHECKING:
    from tests.homes import Home

pytestmark = pytest.mark.integration
CAMPAIGN = ("--domain", "enzyme-kinetics", "--runs", "4", "--budget", "3", "--particles", "200", "--seed", "4")


@pytest.fixture(scope="module")
def first_result() -> list[tuple[list[dict[str, str]], dict[str, Any]]]:
    """Export and finding on the first pair of servers that ran the campaign."""
    return []


def test_the_same_campaign_on_all_servers(
    home: "Home", first_result: list[tuple[list[dict[str, str]], dict[str, Any]]]
) -> None:
    status = home.json("campaign", "run", *CAMPAIGN)
    assert status["status"] == "finished"
    assert status["progress"] == {"share": 1.0, "runs_finished": 4, "experiments": 12, "cost": 12.0}
    export = home.export(status["id"])
    assert len(export) == 12
    assert home.empties()
    assert (home.folder / "broker").exists() == home.embedded
    first_result.append((export, status["finding"]))
    assert (export, status["finding"]) == first_result[0]


def test_a_finding_from_real_measurements(home: "Home") -> None:
    out = home.folder.parent / "puromycin.csv"
    done = home.run("campaign", "run", "--domain", "enzyme-kinetics", "--laboratory", "replay:puromycin-treated",
                    "--particles", "500", "--out", str(out))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "after 12 experiments" in done.stdout
    assert "100%" in done.stderr, "the progress bar is on the error stream"
    looked_up = [line.split(",")[2:4] for line in out.read_text().splitlines()[1:]]
    table = (catalogue.path("enzyme-kinetics").parent / "data" / "puromycin.csv").read_text().splitlines()[1:]
    treated = [line.replace('"', "").split(",") for line in table if "untreated" not in line]
    expected = sorted([float(conc), float(rate)] for *_, conc, rate, _ in treated)
    assert sorted([float(design), float(outcome)] for design, outcome in looked_up) == expected
    assert home.empties()


def test_experiments_already_made_are_gone_on_from(home: "Home") -> None:
    """In several blocks and tasks: each takes up the given experiments and the worlds that fit them."""
    made = home.folder.parent / "made.csv"
    made.write_text("design.substrate,outcome.velocity\n0.02,76\n1.10,207\n0.11,\n")
    status = home.json("campaign", "run", *CAMPAIGN, "--policy", "random", "--data", str(made))
    assert status["progress"] == {"share": 1.0, "runs_finished": 4, "experiments": 24, "cost": 12.0}
    assert (status["finding"]["experiments"], status["finding"]["given"]) == (24, 12)
    rows = home.export(status["id"])
    assert [row["given"] for row in rows] == (["true"] * 3 + ["false"] * 3) * 4
    assert len({row["truth.vmax"] for row in rows}) == 4
    assert home.empties()


def test_a_second_command_uses_the_pool_that_is_there(home: "Home") -> None:
    """And starts its own once that pool is gone, rather than wait for ever."""
    worker = home.start("worker", "--processes", "1")
    (pool,) = _wait_for_pool(home)
    status = home.json("campaign", "run", *CAMPAIGN)
    assert status["status"] == "finished"
    assert home.pools() == [pool]
    waiting = home.start("campaign", "run", *CAMPAIGN, "--runs", "9")
    time.sleep(1)
    home.stop(worker)
    assert waiting.wait(60) == 0, home.logs()
    assert not pool.is_running()
    assert home.empties()


def _wait_for_pool(home: "Home") -> list:
    deadline = time.monotonic() + 60  # a busy machine takes long to import the science
    while not (any(home.folder.glob("workers-*.lock")) and home.pools()):
        assert time.monotonic() < deadline, home.logs()
        time.sleep(0.1)
    return home.pools()


def test_two_homes_do_not_touch_each_other(make_home: "Callable[..., Home]") -> None:
    homes = [make_home("one"), make_home("another" + "-with-a-long-name" * 6)]
    runs = [home.start("campaign", "run", *CAMPAIGN, "--seed", str(seed)) for seed, home in enumerate(homes)]
    assert [run.wait(90) for run in runs] == [0, 0], "\n".join(home.logs() for home in homes)
    for seed, home in enumerate(homes):
        (campaign,) = home.json("campaign", "list")
        assert (campaign["seed"], campaign["status"]) == (seed, "finished")
        assert home.empties()


def test_a_law_that_gives_nan_fails_its_campaign(home: "Home", tmp_path: Path) -> None:
    document = yaml.safe_load(catalogue.path("source-location").read_text())
    document |= {
        "name": "broken",
        "outcomes": {"log_intensity": {"normal": {"mean": "log(-1 - intensity)", "sd": 0.5}}},
    }
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(document))
    done = home.run("campaign", "run", "--domain", str(path), "--particles", "100", "--policy", "random")
    assert done.returncode == 2
    (message,) = [line for line in done.stderr.splitlines() if line.startswith("organon: ")]
    assert "Traceback" not in done.stderr
    assert "the law 'two-sources' gives values that are not finite for 100.0% of the prior" in message
    (campaign,) = home.json("campaign", "list")
    assert campaign["status"] == "failed"
    assert campaign["progress"]["experiments"] == 0
    assert home.empties()


def test_the_doctor(home: "Home") -> None:
    checks = home.json("doctor")
    assert {"database", "tables", "broker", "workers", "torch"} <= {check["name"] for check in checks}
    assert all(check["ok"] for check in checks), checks
    assert home.empties()


@pytest.mark.usefixtures("own_broker")
def test_the_doctor_finds_what_is_wrong(make_home: "Callable[..., Home]") -> None:
    ill = make_home("ill", ORGANON_BROKER_URL="redis://127.0.0.1:1").run("doctor")
    assert ill.returncode == 2
    fault, other = [line for line in ill.stdout.splitlines() if line.startswith("FAIL")]
    assert "broker" in fault
    assert "workers" in other, "they are asked over the broker"
    assert "redis://127.0.0.1:1 does not answer" in fault
    assert "ORGANON_BROKER_URL" in fault
    wrong = make_home("wrong", ORGANON_BLOCK_RUNS="abc").run("doctor")
    assert wrong.returncode == 2
    assert "ORGANON_BLOCK_RUNS='abc'" in wrong.stdout


def test_a_command_that_is_stopped_leaves_its_campaign_to_the_next_worker(home: "Home") -> None:
    run = home.start("campaign", "run", *CAMPAIGN, "--runs", "9")
    _wait_for_pool(home)
    home.stop(run)
    assert home.empties(), "SIGTERM ends pool and broker with the command"
    (campaign,) = home.json("campaign", "list")
    assert campaign["status"] in {"scheduled", "running"}
    home.start("worker", "--processes", "2")
    home.finish(campaign["id"])


@pytest.mark.usefixtures("own_broker")
def test_the_embedded_broker_is_private(home: "Home") -> None:
    home.start("worker", "--processes", "1")
    _wait_for_pool(home)
    assert home.broker().net_connections("tcp") == []
    assert (home.folder / "broker").stat().st_mode & 0o077 == 0
