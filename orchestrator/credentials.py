"""Secrets that are none: what examples have in a secret's place is refused before anything starts."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from orchestrator.errors import OrganonError

_WORDS = {
    "changeme", "changethis", "changeit", "replaceme", "replacethis", "placeholder", "password", "yourpassword",
    "yoursecret", "yourtoken", "todo", "tbd", "fixme", "example", "insecure", "default",
}  # fmt: skip
_SHAPES = re.compile(r"^(<.*>|\$\{.*\}|\{\{.*\}\}|\.{3}|…|(.)\2*)$")  # <password>, ${PASSWORD}, {{ password }}, xxxx


def url_password(url: str) -> str:
    """The password in a URL, empty where there is none."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def is_placeholder(secret: str) -> bool:
    """Whether this stands where a secret should: ``change-me``, ``Change_Me_123``, ``<password>``, ``xxxx``."""
    letters = re.sub(r"[^a-z]", "", secret.lower())
    return bool(_SHAPES.match(secret)) or letters in _WORDS or letters.startswith(("changeme", "replaceme"))


def refuse_placeholders(secrets: Mapping[str, str]) -> None:
    """OrganonError that names the first variable whose secret is a placeholder; the message does not repeat it."""
    for name, secret in secrets.items():
        if secret and is_placeholder(secret):
            raise OrganonError(
                f"the secret in {name} is a placeholder from an example, which anybody may try: "
                "put a random one in its place, such as openssl rand -hex 24 prints"
            )
