"""Watching over real processes: workers that answer, lines that they log, and pages alone."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from conftest import Home

pytestmark = pytest.mark.integration


def until_at_work(home: "Home") -> None:
    for _ in range(30):
        if home.run("doctor", "--only", "workers", "--at-work").returncode == 0:
            return
        time.sleep(0.5)
    pytest.fail(home.logs())


def test_workers_are_counted_and_log_what_they_are_about(make_home: "Callable[..., Home]", free_port: int) -> None:
    home = make_home(
        "watched",
        ORGANON_LOG_FORMAT="json",
        ORGANON_LOG_LEVEL="debug",
        ORGANON_LOG_TARGET="stderr",
        ORGANON_API_PORT=str(free_port),
    )
    home.start("worker", "--processes", "1")
    until_at_work(home)
    home.start("api")
    campaign = home.create("--domain", "enzyme-kinetics", "--budget", "2", "--particles", "100")
    home.finish(campaign)
    (check,) = home.json("doctor", "--only", "api")
    assert check["found"] == f"it answers at 127.0.0.1:{free_port}"
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    samples = {
        sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples
    }
    assert (samples["organon_worker_pools"], samples["organon_steps_total"]) == (1, 2)
    lines = (home.folder / "output.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    said = [line for line in lines if not line.startswith("{")]
    assert [line.partition(" ")[0] for line in said] == ["1", "Organon"], "what commands tell who starts them"
    of_campaign = [(line["message"], line.get("step")) for line in logged if line.get("campaign") == campaign]
    assert of_campaign == [("step recorded", 0), ("step recorded", 1), ("block finished", 1)]
    assert not (home.folder / "logs" / "worker.log").exists()


def test_pages_alone(home: "Home", free_port: int) -> None:
    pages = home.start("pages", "--port", str(free_port))
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/alive", timeout=5) as answer:
                assert answer.status == 200
                break
        except OSError:
            assert time.monotonic() < deadline, home.logs()
            time.sleep(0.3)
    assert home.pools() == [], "no workers of their own"
    home.stop(pages)
    assert home.empties()
