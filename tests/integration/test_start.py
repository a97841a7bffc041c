"""``organon start``: broker, workers and pages, up together and gone together."""

import socket
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from orchestrator.page_tokens import COOKIE

if TYPE_CHECKING:
    from tests.homes import Home

pytestmark = pytest.mark.integration


def answers(url: str, seconds: float, token: str = "") -> str:
    """The body of the page, or of the login that it leads to, once it answers 200."""
    asked = urllib.request.Request(url, headers={"Cookie": f"{COOKIE}={token}"})
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(asked, timeout=5) as response:
            assert response.status == 200
            return str(response.read().decode())
        time.sleep(0.2)
    pytest.fail(f"{url} did not answer within {seconds:g} s")


def test_start_and_stop(home: "Home", free_port: int) -> None:
    everything = home.start("start", "--port", str(free_port), "--processes", "1")
    assert "<title>Log in" in answers(f"http://127.0.0.1:{free_port}/", 60)
    campaign = home.create("--domain", "enzyme-kinetics", "--budget", "2", "--particles", "100")
    said = (home.folder / "output.log").read_text()
    token = said.partition(f"http://127.0.0.1:{free_port}/login#")[2].partition(" ")[0]
    page = answers(f"http://127.0.0.1:{free_port}/", 60, token)
    assert "<title>Streamlit" in page
    home.finish(campaign)
    (pages,) = home.processes("streamlit")
    listening = {c.laddr.ip for c in pages.net_connections("tcp") if c.status == "LISTEN"}
    assert listening == {"127.0.0.1"}, "the pages are for this machine alone"
    home.stop(everything)
    assert everything.returncode == 0, home.logs()
    assert home.empties()
    assert not (home.folder / "broker" / "valkey.sock").exists()


def test_pages_that_end_are_started_again(home: "Home", free_port: int) -> None:
    everything = home.start("start", "--port", str(free_port), "--processes", "1")
    answers(f"http://127.0.0.1:{free_port}/", 60)
    (pages,) = home.processes("streamlit")
    pages.kill()
    answers(f"http://127.0.0.1:{free_port}/", 60)
    home.stop(everything)
    assert home.empties()


def test_a_port_that_is_taken(home: "Home") -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = home.run("start", "--port", str(port))
    assert done.returncode == 2
    assert done.stderr.startswith(f"organon: the pages cannot use 127.0.0.1:{port}")
    assert "--port" in done.stderr
    assert home.empties(0.1)
