"""Homes with real processes in them. Whatever a test starts there is gone after it, also when it fails."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import servers
from tests.homes import SMALL, Home

MakeHome = Callable[..., Home]


@pytest.fixture(params=servers.PAIRS)
def servers_name(request: pytest.FixtureRequest) -> str:
    """Which database and which broker the test's homes use."""
    return str(request.param)


@pytest.fixture
def make_home(tmp_path: Path, servers_name: str) -> Iterator[MakeHome]:
    """Homes by name, with settings, each with its own database and queue; all of it ends with the test."""
    homes: list[Home] = []
    with ExitStack() as used:

        def make(name: str = "home", **settings: str) -> Home:
            pair = used.enter_context(servers.pair(servers_name))
            homes.append(Home(tmp_path / name, **{**SMALL, **pair.settings, **settings}))
            return homes[-1]

        yield make
        for home in homes:
            home.close()


@pytest.fixture
def home(make_home: MakeHome) -> Home:
    return make_home()


@pytest.fixture
def own_broker(servers_name: str) -> None:
    """For tests of Organon's own broker."""
    if servers_name != servers.PAIRS[0]:
        pytest.skip("about the embedded broker, which these servers do without")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
