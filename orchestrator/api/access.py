"""Who is speaking: a bearer token with every request. Viewers may look, operators may act."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from experiments_db.database import Database
from orchestrator.bench import Bench
from orchestrator.errors import ForbiddenError, UnknownHolderError
from orchestrator.settings import Settings
from orchestrator.tokens import Holder, holder

_bearer = HTTPBearer(auto_error=False, description="A token made by: organon token create --name NAME")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Office:
    """The record and the settings that an application answers from; kept in its state."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database

    def bench(self, who: Holder, by: str | None) -> Bench:
        """The bench in the name of the token's holder, or of somebody who speaks through it."""
        return Bench(self.settings, self.database, f"{by} ({who.name})" if by else who.name)


def office(request: Request) -> Office:
    """The office of the application that a request came to."""
    found: Office = request.app.state.office
    return found


TheOffice = Annotated[Office, Depends(office)]


def viewer(given: Credentials, here: TheOffice) -> Holder:
    """Whoever holds a token; UnknownHolderError where nobody does."""
    found = None if given is None else holder(here.settings, here.database, given.credentials)
    if found is None:
        raise UnknownHolderError(
            "a token is needed: send 'Authorization: Bearer TOKEN'; one is made by organon token create --name NAME"
        )
    return found


def operator(who: Annotated[Holder, Depends(viewer)]) -> Holder:
    """Whoever holds a token that may act; ForbiddenError where it may only look."""
    if not who.operates:
        raise ForbiddenError(f"the token of {who.name} may look and not act; ask for one of the role operator")
    return who


Viewer = Annotated[Holder, Depends(viewer)]
Operator = Annotated[Holder, Depends(operator)]
