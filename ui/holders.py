"""Whose token it is, asked outside of a page: by the gate and by the login."""

from functools import lru_cache

from experiments_db.database import Database, connect
from orchestrator.page_tokens import page_holder
from orchestrator.settings import Settings, load_settings
from orchestrator.tokens import Holder


def whose(token: str) -> Holder | None:
    """The holder of a token, None for one that opens nothing; EXPECTED or SQLAlchemyError where nobody can say."""
    settings = load_settings()
    return page_holder(settings, _record(settings), token)


@lru_cache(maxsize=1)
def _record(settings: Settings) -> Database:
    return connect(settings.database)
