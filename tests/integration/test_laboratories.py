"""Experiments answered from outside, through real workers, broker, database and HTTP; and by a program."""

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from orchestrator.client import Client, ClientError

if TYPE_CHECKING:
    from conftest import Home, MakeHome

pytestmark = pytest.mark.integration
SMALL = {"domain": "enzyme-kinetics", "particles": 100, "policy": "random"}


def velocity(substrate: float) -> dict[str, float]:
    return {"velocity": 200 * substrate / (0.06 + substrate)}


def connected(home: "Home", port: int, token: str | None = None) -> Client:
    """A client of the interface of a home, once that answers."""
    token = token or home.json("token", "create", "--name", "bench")["token"]
    client = Client(f"http://127.0.0.1:{port}", token, by="Ada")
    deadline = time.monotonic() + 60
    while not _answers(client):
        assert time.monotonic() < deadline, home.logs()
        time.sleep(0.1)
    return client


def _answers(client: Client) -> bool:
    try:
        client.campaigns()
    except ClientError as error:
        if error.status != 0:
            raise
        return False
    return True


def test_several_clients_answer_everything_once(make_home: "MakeHome", free_port: int) -> None:
    home = make_home(ORGANON_API_PORT=str(free_port))
    home.start("worker", "--processes", "2")
    home.start("api")
    token = home.json("token", "create", "--name", "bench")["token"]
    with connected(home, free_port, token) as client:
        campaign = client.create(**SMALL, runs=4, budget=5, batch=2)

    def work(name: str) -> list[int]:
        taken = []
        with Client(f"http://127.0.0.1:{free_port}", token, by=name) as mine:
            while (suggestion := mine.ask(campaign, wait=60)) is not None:
                mine.tell(suggestion.id, velocity(float(suggestion.design["substrate"])))
                taken.append(suggestion.id)
        return taken

    with ThreadPoolExecutor(3) as pool:
        taken = [suggestion for mine in pool.map(work, "ABC") for suggestion in mine]
    assert len(taken) == len(set(taken)) == 20
    home.finish(campaign)
    rows = home.export(campaign)
    assert [(row["run"], row["step"]) for row in rows] == [(str(r), str(s)) for r in range(4) for s in range(5)]
    for row in rows:
        expected = velocity(float(row["design.substrate"]))["velocity"]
        assert float(row["outcome.velocity"]) == expected


def test_a_correction_reaches_a_finished_campaign(make_home: "MakeHome", free_port: int) -> None:
    home = make_home(ORGANON_API_PORT=str(free_port))
    with socket.create_server(("127.0.0.1", 0)) as other:
        pages = str(other.getsockname()[1])
    home.start("start", "--api", "--processes", "1", "--port", pages)
    with connected(home, free_port) as client:
        campaign = client.create(**SMALL, budget=2)
        ids = []
        while (suggestion := client.ask(campaign, wait=60)) is not None:
            client.tell(suggestion.id, {"velocity": 40})
            ids.append(suggestion.id)
        before = home.finish(campaign)["finding"]["text"]
        client.correct(ids[0], {"velocity": 190}, reason="the other scale")
        after = home.follow(campaign, lambda status: status["finding"] not in (None, before))["finding"]["text"]
    assert after != before
    assert [row["result"] for row in home.export(campaign)] == ["corrected", "told"]


def test_a_killed_worker_loses_no_suggestion(make_home: "MakeHome", free_port: int) -> None:
    """The same suggestions wait afterwards, and what was told meanwhile is taken up."""
    home = make_home(ORGANON_API_PORT=str(free_port))
    worker = home.start("worker", "--processes", "1")
    home.start("api")
    with connected(home, free_port) as client:
        campaign = client.create(**SMALL, budget=4, batch=2)
        first = client.ask(campaign, wait=60)
        second = client.ask(campaign, wait=60)
        assert first is not None
        assert second is not None
        worker.kill()
        for process in home.processes("orchestrator.pool"):
            process.kill()
        client.tell(second.id, {"velocity": 50})
        home.start("worker", "--processes", "1")
        third = client.ask(campaign, wait=60)
        assert third is not None
        assert third.number == 2
        client.tell(first.id, {"velocity": 51})
        client.tell(third.id, {"velocity": 52})
        last = client.ask(campaign, wait=60)
        assert last is not None
        client.tell(last.id, {"velocity": 53})
    home.finish(campaign)
    assert [float(row["outcome.velocity"]) for row in home.export(campaign)] == [50, 51, 52, 53]


def test_a_program_as_a_laboratory(make_home: "MakeHome") -> None:
    code = (
        "import json, sys; x = json.load(sys.stdin)['design']['substrate']\n"
        "json.dump({'outcome': {'velocity': 200 * x / (0.06 + x)}}, sys.stdout)"
    )
    listed = {"enzyme": {"run": [sys.executable, "-c", code]}}
    home = make_home(ORGANON_COMMANDS=json.dumps(listed))
    arguments = ("--domain", "enzyme-kinetics", "--particles", "100", "--budget", "3", "--runs", "2")
    status = home.json("campaign", "run", *arguments, "--laboratory", "command:enzyme")
    assert status["status"] == "finished"
    for row in home.export(status["id"]):
        expected = velocity(float(row["design.substrate"]))["velocity"]
        assert float(row["outcome.velocity"]) == pytest.approx(expected)
    assert home.empties()
