"""Tokens that open the pages: the two of the settings, and those of the record. Torch-free."""

import hmac

from experiments_db.database import Database
from orchestrator.settings import Settings
from orchestrator.tokens import Holder, holder

COOKIE = "organon_token"


def page_holder(settings: Settings, database: Database, token: str) -> Holder | None:
    """Whose token it is; None for one that opens nothing. Compared in constant time."""
    own = {
        "operator": Holder("ORGANON_UI_TOKEN", "operator"),
        "viewer": Holder("ORGANON_UI_VIEWER_TOKEN", "viewer"),
    }
    secrets = {
        "operator": settings.ui_token.get_secret_value(),
        "viewer": settings.ui_viewer_token.get_secret_value(),
    }
    for role, secret in secrets.items():
        if secret and hmac.compare_digest(token.encode(), secret.encode()):
            return own[role]
    return holder(settings, database, token)
