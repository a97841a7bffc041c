"""What ``organon doctor`` asks of servers and other processes: record, broker, workers, the HTTP interface."""

import http.client
import json
from datetime import UTC, datetime

from experiments_db import schema
from experiments_db.standing import recorded_revision
from experiments_db.totals import clock_ahead, totals
from orchestrator import presence, services
from orchestrator.api.loopback import LOOPBACK
from orchestrator.broker import broker
from orchestrator.diagnosis import Check
from orchestrator.errors import OrganonError
from orchestrator.ports import check_port_is_free
from orchestrator.settings import Settings

_CLOCKS_SECONDS = 5.0  # apart: far below a lease, above what a slow answer takes


def database(settings: Settings) -> Check:
    """Whether the record answers. An older one is not upgraded by looking at it."""
    if _revision(settings) in (None, schema.HEAD):
        opened = services.open_database(settings)
        with opened.read():
            shown = opened.engine.url.render_as_string(hide_password=True)
        opened.close()
        return Check("database", True, f"{shown} answers")
    return Check("database", True, "it answers")


def tables(settings: Settings) -> Check:
    """Whether the record has the tables of this version."""
    revision = _revision(settings)
    if revision == schema.HEAD:
        return Check("tables", True, f"those of this version ({schema.HEAD})")
    if revision in schema.REVISIONS:
        return Check("tables", False, f"{revision}, and this version has {schema.HEAD}", "run: organon db upgrade")
    remedy = "upgrade Organon, or choose another ORGANON_DATABASE_URL"
    return Check("tables", False, f"{revision}, which this version does not know", remedy)


def clock(settings: Settings) -> Check:
    """Whether the database's clock and ours agree: leases are told by them."""
    opened = services.open_database(settings)
    with opened.read() as session:
        ahead = clock_ahead(session, datetime.now(UTC))
    opened.close()
    if ahead is None:
        return Check("clock", True, "the record is on this machine")
    seconds = ahead.total_seconds()
    ok = abs(seconds) <= _CLOCKS_SECONDS
    remedy = "" if ok else "set both machines' clocks by NTP: leases that seem to expire early are taken over"
    return Check("clock", ok, f"the database's is {seconds:+.1f} s from ours", remedy)


def queue(settings: Settings) -> Check:
    """Whether the broker answers; our own is started for it."""
    with broker(settings):
        where = "Organon's own" if settings.embedded_broker else "the one in ORGANON_BROKER_URL"
        return Check("broker", True, f"{where} answers")


def workers(settings: Settings, *, needed: bool = False) -> Check:
    """Which pools answer; needed: whether one has to be on this machine."""
    found = presence.pools(settings)
    here = [pool for pool in found if presence.is_here(pool)]
    told = f"{len(here)} pools answer on this machine, {len(found) - len(here)} elsewhere"
    if needed and not here:
        return Check("workers", False, told, "start one: organon worker")
    return Check("workers", True, told if found else "none answer (organon campaign run starts its own)")


def leases(settings: Settings) -> Check:
    """Whether blocks or jobs are held by workers that show no sign of life."""
    opened = services.open_database(settings)
    with opened.read() as session:
        found = totals(session, datetime.now(UTC))
    opened.close()
    lost = found.expired + found.jobs_expired
    told = (
        f"{found.held} blocks are at work, {found.expired} have lost their worker; of {found.jobs['running']} jobs "
        f"under way {found.jobs_expired} have"
    )
    return Check("leases", not lost, told, "any worker takes them up: organon worker" if lost else "")


def interface(settings: Settings) -> Check:
    """Whether the HTTP interface's port is ours, or free."""
    address, port = settings.api_address, settings.api_port
    try:
        check_port_is_free(address, port, "the HTTP interface", "ORGANON_API_PORT")
    except OrganonError as error:
        answers = _is_ours("127.0.0.1" if address in {"0.0.0.0", "::", *LOOPBACK} else address, port)
        remedy = "" if answers else "choose another ORGANON_API_PORT, or end the program that listens there"
        return Check("api", answers, f"it answers at {address}:{port}" if answers else str(error), remedy)
    return Check("api", True, f"{address}:{port} is free (organon api serves there)")


def _is_ours(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=3)
    try:
        connection.request("GET", "/health/live")
        answer = connection.getresponse()
        return answer.status == 200 and bool(json.loads(answer.read(1000)) == {"status": "ok"})
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def _revision(settings: Settings) -> str | None:
    return recorded_revision(settings.database)
