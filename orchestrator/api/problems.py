"""From errors to answers: a status, and a message that names the thing, the rule and the way out."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from domains.errors import DomainError
from experiments_db.errors import ConflictError, NotFoundError, UnreachableDatabaseError
from orchestrator.api.access import ForbiddenError, UnknownHolderError
from orchestrator.api.schemas import Problem
from orchestrator.errors import BrokerError, OrganonError, RequestError, StateError

log = logging.getLogger("organon")

_STATUS: tuple[tuple[type[Exception], int], ...] = (  # the first that fits
    (UnknownHolderError, 401),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (StateError, 409),
    (ConflictError, 409),
    (RequestError, 422),
    (DomainError, 422),
    (BrokerError, 503),
    (UnreachableDatabaseError, 503),
    (SQLAlchemyError, 503),
    (OrganonError, 503),  # the settings of this installation are not in order
)
_DESCRIBED = {
    400: "The request is not HTTP or JSON as it should be.",
    401: "No token, or one that opens nothing.",
    403: "The token may look and not act.",
    404: "There is no such thing.",
    408: "The request did not come to its end.",
    409: "What is asked does not fit the present state.",
    413: "The request is too large.",
    422: "Something in the request cannot be; the message says what.",
    503: "The record or the broker is away; try again later.",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text} for status, text in _DESCRIBED.items()
}


def answer_problems(app: FastAPI) -> None:
    """Have every expected error of an application answered in words."""
    for kind, status in _STATUS:
        app.add_exception_handler(kind, _answer(status))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _answer(status: int) -> Any:
    def answer(request: Request, error: Exception) -> JSONResponse:
        if status == 503:
            log.warning("%s %s: %s", request.method, request.url.path, error)
        away = isinstance(error, SQLAlchemyError)
        message = "the record does not answer; try again later" if away else str(error)
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return _problem(status, message, headers)

    return answer


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """A request that does not fit its description: the first place, and what is wrong with it."""
    del request
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    status = 400 if first["type"] == "json_invalid" else 422
    return _problem(status, f"{place}: {first['msg']}")


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _problem(error.status_code, f"{request.method} {request.url.path}: {error.detail}", error.headers)


def _problem(status: int, message: str, headers: Any = None) -> JSONResponse:
    shown = message.encode("utf-8", "replace").decode()  # half a surrogate pair in a name cannot be sent back
    return JSONResponse({"error": shown[:4000]}, status, headers)
