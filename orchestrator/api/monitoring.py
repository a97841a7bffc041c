"""What machines that watch over an installation ask: is it alive, is it ready, how much has it done."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from orchestrator.api.access import Credentials, TheOffice, viewer
from orchestrator.api.loopback import LOOPBACK
from orchestrator.api.problems import PROBLEMS
from orchestrator.exposition import CONTENT_TYPE
from orchestrator.health import readiness
from orchestrator.metrics import metrics

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

watch = APIRouter()


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """What was found of each part."""

    status: Literal["ok", "not ready"]
    database: Literal["ok", "away"]
    tables: Literal["ok", "older", "newer", "unknown"]
    broker: Literal["ok", "idle", "away"]


def _near_or_viewer(request: Request, given: Credentials, here: TheOffice) -> None:
    """Nobody but holders of a token, and programs on this machine that ask directly and not through a proxy."""
    near = request.client is not None and request.client.host in LOOPBACK
    if not near or any(name in request.headers for name in _FORWARDED):
        viewer(given, here)


@watch.get("/health/live", response_model=Alive)
def live() -> dict[str, str]:
    """Whether this process answers. Needs no token, and asks nothing of others."""
    return {"status": "ok"}


@watch.get("/health/ready", response_model=Ready, responses={503: {"model": Ready, "description": "Not ready."}})
def ready(here: TheOffice) -> Any:
    """Whether the record answers with the schema of this version, and the broker. Needs no token."""
    found = readiness(here.settings, here.database)
    body = {
        "status": "ok" if found.ready else "not ready",
        "database": found.database,
        "tables": found.tables,
        "broker": found.broker,
    }
    return JSONResponse(body, 200 if found.ready else 503)


@watch.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **{status: PROBLEMS[status] for status in (401, 503)}},
)
def show_metrics(here: TheOffice, allowed: Annotated[None, Depends(_near_or_viewer)]) -> Response:
    """Counts of the whole installation in Prometheus' text format. A token is needed, except on this machine itself."""
    del allowed
    return Response(metrics(here.settings, here.database), media_type=CONTENT_TYPE)
