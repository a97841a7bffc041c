"""Real servers for tests: named by ORGANON_TEST_… variables; each test has a database and a queue of its own there.

Where ORGANON_TEST_SERVERS_REQUIRED is set, a server that is missing is a failure; elsewhere a skip that says so.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from kombu import Connection
from sqlalchemy import make_url

from orchestrator.settings import Settings

PAIRS = ("sqlite-embedded", "postgresql-redis", "postgresql-rabbitmq")
_EXAMPLES = {
    "POSTGRES": "postgresql://postgres@127.0.0.1:5432/postgres",
    "REDIS": "redis://127.0.0.1:6379/9",
    "RABBITMQ": "amqp://guest:guest@127.0.0.1:5672//",
}


def server_url(kind: str) -> str:
    """The address of a server that tests may use: POSTGRES, REDIS or RABBITMQ."""
    name = f"ORGANON_TEST_{kind}_URL"
    url = os.environ.get(name)
    if url:
        return url
    missing = f"no {kind} server: set {name}={_EXAMPLES[kind]}"
    if os.environ.get("ORGANON_TEST_SERVERS_REQUIRED"):
        pytest.fail(missing)
    pytest.skip(missing)


@dataclass(frozen=True)
class Pair:
    """Addresses of a database and a broker; empty where they are Organon's own."""

    database_url: str = ""
    broker_url: str = ""

    @property
    def settings(self) -> dict[str, str]:
        named = {"ORGANON_DATABASE_URL": self.database_url, "ORGANON_BROKER_URL": self.broker_url}
        return {name: url for name, url in named.items() if url}


@contextmanager
def pair(name: str) -> Iterator[Pair]:
    """A database of its own on one of ``PAIRS``, removed afterwards with its queue."""
    if name == PAIRS[0]:
        yield Pair()
        return
    broker = server_url(name.partition("-")[2].upper())
    with temporary_database(server_url("POSTGRES")) as database:
        try:
            yield Pair(database, broker)
        finally:
            remove_queue(database, broker)


@contextmanager
def temporary_database(server: str) -> Iterator[str]:
    """The address of a new, empty database on a PostgreSQL server, dropped afterwards."""
    name = f"organon_test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as administrator:
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def remove_queue(database: str, broker: str) -> None:
    """Delete the queue that Organon made on a broker for this database, and nothing else."""
    queue = Settings(database_url=database, broker_url=broker).queue
    with Connection(broker) as connection, connection.channel() as channel:
        if broker.startswith("amqp"):
            channel.queue_delete(queue)
            channel.exchange_delete(queue)
        else:
            channel.client.delete(queue, f"_kombu.binding.{queue}", f"_kombu.binding_permanent.{queue}")


def queue_is_left(database: str, broker: str) -> bool:
    """Whether anything of this database's queue is on a Redis server."""
    queue = Settings(database_url=database, broker_url=broker).queue
    with Connection(broker) as connection, connection.channel() as channel:
        return bool(channel.client.exists(queue))
