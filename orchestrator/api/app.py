"""The application, and the process that serves it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

import uvicorn
from anyio import to_thread
from fastapi import FastAPI

from experiments_db.database import Database
from orchestrator import services
from orchestrator.api.access import Office, TheOffice
from orchestrator.api.bounded import BoundedBody
from orchestrator.api.loopback import LOOPBACK
from orchestrator.api.monitoring import watch
from orchestrator.api.problems import PROBLEMS, answer_problems
from orchestrator.api.routes import routes
from orchestrator.api.schemas import Health
from orchestrator.ports import check_port_is_free
from orchestrator.settings import Settings
from orchestrator.tokens import check_own_token

_MOST_AT_ONCE = 200  # connections; more are answered 503 at once
_THREADS = 12  # that ask the record: no more than its pool has connections


@asynccontextmanager
async def _few_threads(app: FastAPI) -> AsyncIterator[None]:
    del app
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


def make_app(settings: Settings, database: Database) -> FastAPI:
    """The HTTP interface to a record."""
    app = FastAPI(
        title="Organon",
        version=version("organon"),
        description="Campaigns, the experiments that wait to be run, and what came back.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        separate_input_output_schemas=False,
        lifespan=_few_threads,
    )
    app.state.office = Office(settings, database)
    app.add_middleware(BoundedBody)
    answer_problems(app)
    app.include_router(routes)
    app.include_router(watch)

    @app.get("/health", response_model=Health, responses={503: PROBLEMS[503]})
    def health(here: TheOffice) -> dict[str, str]:
        """Whether the interface and its record answer. Needs no token."""
        with here.database.read():
            return {"status": "ok"}

    return app


def serve_api(settings: Settings, say: Callable[[str], None]) -> None:
    """Answer until SIGTERM or SIGINT."""
    check_own_token(settings)
    check_port_is_free(settings.api_address, settings.api_port, "the HTTP interface", "--port or ORGANON_API_PORT")
    database = services.open_database(settings)
    config = uvicorn.Config(
        make_app(settings, database),
        host=settings.api_address,
        port=settings.api_port,
        log_level="warning",
        log_config=None,  # what it logs goes where ours does
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        limit_concurrency=_MOST_AT_ONCE,
    )
    say(f"Organon answers at http://{settings.api_address}:{settings.api_port}/v1  (Ctrl-C stops it)")
    if settings.api_address not in LOOPBACK:
        say("This address is open to others, and tokens travel as they are: put a proxy with TLS before it")
    try:
        uvicorn.Server(config).run()
    finally:
        database.close()
