"""Tokens of the HTTP interface: who holds one, and the SHA-256 of its secret."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.models import Token
from experiments_db.queries import view


@dataclass(frozen=True)
class TokenRecord:
    """A token; one that was revoked opens nothing."""

    id: str
    name: str
    role: str
    sha256: str
    created_at: datetime
    revoked_at: datetime | None


def save_token(session: Session, token: Token) -> None:
    """Record a new token."""
    session.add(token)
    session.flush()


def get_token(session: Session, token_id: str) -> TokenRecord | None:
    """Return a token, None if there is none of this id."""
    token = session.get(Token, token_id)
    return None if token is None else view(TokenRecord, token)


def tokens(session: Session) -> list[TokenRecord]:
    """Return all tokens, the oldest first."""
    return [view(TokenRecord, token) for token in session.scalars(select(Token).order_by(col(Token.created_at)))]


def revoke_token(session: Session, token_id: str, now: datetime) -> bool:
    """Let a token open nothing any more; return whether it still did."""
    live = (col(Token.id) == token_id, col(Token.revoked_at).is_(None))
    done = session.scalars(update(Token).where(*live).values(revoked_at=now).returning(col(Token.id)))
    return done.one_or_none() is not None
