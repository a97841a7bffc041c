"""Tokens that open the pages: the two of the settings, and those of the record. Torch-free."""

import hmac
import re

from experiments_db import tokens
from experiments_db.database import Database, connect
from orchestrator.errors import RequestError
from orchestrator.settings import Settings
from orchestrator.tokens import LEAST_SECRET, Holder, create_token, holder

COOKIE = "organon_token"
_NAME = "pages"  # of the token that the first start makes
_IN_A_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]*")  # what RFC 6265 lets a cookie's value hold
_ANYWHERE = ("0.0.0.0", "::", "")


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
        if secret and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), secret.encode()):
            return own[role]
    return holder(settings, database, token)


def check_page_tokens(settings: Settings) -> None:
    """RequestError where a token of the settings is too short, fits in no cookie, or opens for two roles."""
    own = {
        "ORGANON_UI_TOKEN": settings.ui_token.get_secret_value(),
        "ORGANON_UI_VIEWER_TOKEN": settings.ui_viewer_token.get_secret_value(),
    }
    for name, secret in own.items():
        if secret and len(secret) < LEAST_SECRET:
            raise RequestError(
                f"{name} has {len(secret)} characters; at least {LEAST_SECRET} random ones are needed, such as "
                "openssl rand -hex 24 prints"
            )
        if not _IN_A_COOKIE.fullmatch(secret):
            raise RequestError(
                f"{name} has characters that no cookie can hold; letters and digits are enough, such as "
                "openssl rand -hex 24 prints"
            )
    operator, viewer = own.values()
    if operator and hmac.compare_digest(operator.encode(), viewer.encode()):
        raise RequestError("ORGANON_UI_TOKEN and ORGANON_UI_VIEWER_TOKEN are the same: the one acts, the other looks")


def way_in(settings: Settings) -> str:
    """How to log in to the pages, in words. At the first start without a token one is made, and said this once."""
    address = pages_address(settings)
    if settings.ui_token.get_secret_value():
        return f"Log in at {address}/login with the token in ORGANON_UI_TOKEN"
    if token := _first_token(settings):
        return f"Log in at {address}/login#{token}  (said this once: keep it)"
    return f"Log in at {address}/login; another token is made by: organon token create --name NAME --role operator"


def pages_address(settings: Settings) -> str:
    """Where a browser on this machine finds the pages."""
    host = "127.0.0.1" if settings.ui_address in _ANYWHERE else settings.ui_address
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.ui_port}"


def _first_token(settings: Settings) -> str:
    """A token for the pages, made where none on record opens them; else empty."""
    settings.make_home()
    database = connect(settings.database)
    try:
        with database.read() as session:
            known = any(token.revoked_at is None for token in tokens.tokens(session))
        return "" if known else create_token(database, _NAME, "operator")
    finally:
        database.close()
