"""Secrets that are placeholders are refused before anything starts, and nothing repeats them."""

import subprocess
import sys

import pytest

from orchestrator.credentials import is_placeholder, url_password
from orchestrator.errors import OrganonError
from orchestrator.settings import load_settings


@pytest.mark.parametrize(
    "secret",
    ["change-me", "CHANGE_ME", "changeme123", "Change me!", "change-me-change-me-change-me", "replace-me", "TODO",
     "password", "Your-Password", "<password>", "${PASSWORD}", "{{ secret }}", "xxxxxxxxxxxxxxxxxx", "0000", "..."],
)  # fmt: skip
def test_placeholders(secret: str) -> None:
    assert is_placeholder(secret)


@pytest.mark.parametrize(
    "secret",
    ["0b6f7e1c58a94f2f9a3c2f5f", "organon_1f2e3d4c_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6", "guest", "aabb",
     "correct horse battery staple"],
)  # fmt: skip
def test_secrets(secret: str) -> None:
    assert not is_placeholder(secret)


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://organon:a%40b@host:5432/organon", "a@b"),
        ("redis://:word@host:6379/0", "word"),
        ("amqp://guest:guest@127.0.0.1:5672//", "guest"),
        ("redis+socket:///run/valkey.sock", ""),
        ("sqlite:////home/organon.db", ""),
        ("postgresql://[half", ""),
        ("", ""),
    ],
)
def test_passwords_of_urls(url: str, password: str) -> None:
    assert url_password(url) == password


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ORGANON_API_TOKEN", "change-me-change-me-change-me"),
        ("ORGANON_DATABASE_URL", "postgresql://organon:change-me@database:5432/organon"),
        ("ORGANON_BROKER_URL", "redis://:<password>@broker:6379/0"),
    ],
)
def test_settings_with_a_placeholder_are_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(
        OrganonError, match=f"the secret in {name} is a placeholder from an example.* openssl rand"
    ) as no:
        load_settings()
    assert "change-me" not in str(no.value)
    assert "<password>" not in str(no.value)


def test_a_command_says_so_and_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGANON_API_TOKEN", "change-me-change-me-change-me")
    command = [sys.executable, "-m", "orchestrator.cli.main", "api"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("organon: the secret in ORGANON_API_TOKEN is a placeholder")
