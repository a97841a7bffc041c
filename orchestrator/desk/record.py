"""Queries of the console, kept under a name."""

from dataclasses import dataclass

from experiments_db import saved_queries
from orchestrator.desk.base import Desk
from orchestrator.errors import RequestError
from orchestrator.example_queries import EXAMPLES

_LONGEST_NAME = 100
_LONGEST_TEXT = 100_000


@dataclass(frozen=True)
class RecordDesk(Desk):
    """Saved queries: who may act keeps and deletes them, everybody runs them."""

    def save_query(self, name: str, text: str) -> None:
        """Keep a query. ForbiddenError for those who may only look; RequestError where the name is none, or taken."""
        self.acting()
        _check(name, text)
        with self.database.write() as session:
            if not saved_queries.save_query(session, name.strip(), text.strip(), self.who.name):
                raise RequestError(
                    f"there is a query {name.strip()!r} already: choose another name, or delete it first"
                )

    def delete_query(self, name: str) -> None:
        """Keep it no longer. ForbiddenError for those who may only look; RequestError where there is none."""
        self.acting()
        with self.database.write() as session:
            if not saved_queries.delete_query(session, name):
                raise RequestError(f"there is no saved query {name!r}; it may have been deleted just now")


def _check(name: str, text: str) -> None:
    if not 1 <= len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
        raise RequestError(f"a query is kept under a name of 1 to {_LONGEST_NAME} printable characters; found {name!r}")
    if name.strip() in EXAMPLES:
        raise RequestError(f"{name.strip()!r} is the name of an example: choose another")
    if not text.strip() or len(text) > _LONGEST_TEXT:
        raise RequestError(f"a query has 1 to {_LONGEST_TEXT:,} characters; found {len(text.strip()):,}")
