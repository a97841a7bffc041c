"""What is lost in the middle of a conversation with the broker is said as one error, which supervisors wait out."""

import socket
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as LostError

from orchestrator.broker import speaking
from orchestrator.errors import BrokerError
from orchestrator.settings import Settings


def test_a_connection_lost_half_way_is_an_error_of_the_broker(tmp_path: Path, unused_port: int) -> None:
    """Redis's own errors are neither the system's nor kombu's."""
    settings = Settings(home=tmp_path, broker_url=f"redis://127.0.0.1:{unused_port}/0")
    with pytest.raises(BrokerError, match="does not answer"), speaking(settings), Redis(port=unused_port) as client:
        client.ping()
    assert not issubclass(LostError, OSError)


def test_what_is_wrong_elsewhere_is_none_of_the_brokers(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, broker_url="redis://127.0.0.1:1/0")
    with pytest.raises(ZeroDivisionError), speaking(settings):
        1 / 0  # noqa: B018


@pytest.fixture
def unused_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
