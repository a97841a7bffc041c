"""Tokens that open the HTTP interface: made, told apart, revoked. Torch-free.

A token is ``organon_ID_SECRET``; the secret is 256 random bits, of which the record keeps the SHA-256.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from experiments_db import models, tokens
from experiments_db.database import Database
from orchestrator.errors import RequestError
from orchestrator.settings import Settings

Role = Literal["viewer", "operator"]
LEAST_SECRET = 20  # characters of a token that somebody thought up
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Holder:
    """Who spoke: the name that goes on record, and what they may do."""

    name: str
    role: Role

    @property
    def operates(self) -> bool:
        return self.role == "operator"


def create_token(database: Database, name: str, role: str) -> str:
    """A new token, shown this once. RequestError where the name or the role will not do."""
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise RequestError(f"--name {name!r}: 1 to {_LONGEST_NAME} printable characters are needed")
    if role not in models.ROLES:
        raise RequestError(f"--role {role!r} is no role; they are {', '.join(models.ROLES)}")
    token_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    row = models.Token(id=token_id, name=name, role=role, sha256=_hash(secret))
    with database.write() as session:
        tokens.save_token(session, row)
    return f"organon_{token_id}_{secret}"


def list_tokens(database: Database) -> list[dict[str, Any]]:
    """Who holds a token, without anything that opens."""
    with database.read() as session:
        found = tokens.tokens(session)
    return [
        {
            "id": token.id,
            "name": token.name,
            "role": token.role,
            "created_at": token.created_at.isoformat(),
            "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
        }
        for token in found
    ]


def revoke_token(database: Database, token_id: str) -> None:
    """Let a token open nothing any more; RequestError where none of this id does."""
    with database.write() as session:
        if not tokens.revoke_token(session, token_id, datetime.now(UTC)):
            raise RequestError(f"no token {token_id!r} opens anything: organon token list shows all")


def holder(settings: Settings, database: Database, token: str) -> Holder | None:
    """Who holds a token; None for one that opens nothing. Secrets are compared in constant time."""
    own = settings.api_token.get_secret_value()
    if own and hmac.compare_digest(_hash(token), _hash(own)):
        return Holder("ORGANON_API_TOKEN", "operator")
    _, _, rest = token.partition("organon_")
    token_id, _, secret = rest.partition("_")
    if not token.startswith("organon_") or not token_id.isalnum() or not token_id.isascii():
        return None
    with database.read() as session:
        found = tokens.get_token(session, token_id)
    known = found.sha256 if found is not None else _hash("")  # as long to look at, whether it is there or not
    fits = hmac.compare_digest(_hash(secret), known)
    if found is None or not secret or not fits or found.revoked_at is not None:
        return None
    return Holder(found.name, cast(Role, found.role))


def check_own_token(settings: Settings) -> None:
    """RequestError where ORGANON_API_TOKEN is too short to keep anybody out."""
    own = settings.api_token.get_secret_value()
    if own and len(own) < LEAST_SECRET:
        raise RequestError(
            f"ORGANON_API_TOKEN has {len(own)} characters; at least {LEAST_SECRET} random ones are needed: "
            "organon token create makes a good one"
        )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
