"""All settings, read from the environment (``ORGANON_…``) in this one place."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.credentials import refuse_placeholders, url_password
from orchestrator.errors import OrganonError


class Settings(BaseSettings):
    """Where Organon keeps things and how it works.

    home: everything it keeps; database_url: empty means SQLite in ``home``; broker_url: empty means our own broker on a
    private socket; block_runs: how many runs advance as one batch; task_seconds: how long a task works before it sends
    itself again; lease_seconds: how long a block stays with a worker that shows no sign of life; attempts: how many
    workers in a row may die over a block before it fails its campaign; retry_seconds: how long the second of them
    waits, twice as long each further one; step_limit_seconds: a worker that records nothing for so long is killed;
    memory_limit_mb: what one may take, 0 for a share of the machine;
    commands: JSON, the programs that may answer for a laboratory (``orchestrator.commands``);
    api_address, api_port: where the HTTP interface listens; api_token: one that opens it beside those in the record;
    ui_token, ui_viewer_token: tokens that open the pages, to act and only to look, beside those in the record;
    log_format, log_level: how and from which severity on processes log; log_target: where processes log that others
    of ours start, files under ``home`` or the starter's error stream;
    device: what workers and ``organon benchmark NAME`` compute on, cpu or cuda (cuda:1, …).
    """

    model_config = SettingsConfigDict(env_prefix="ORGANON_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("organon", appauthor=False))
    database_url: str = ""
    broker_url: str = ""
    block_runs: int = Field(default=25, ge=1, le=10_000)
    task_seconds: float = Field(default=2.0, gt=0, le=60)
    lease_seconds: float = Field(default=300.0, ge=5)
    attempts: int = Field(default=5, ge=1, le=1000)
    retry_seconds: float = Field(default=1.0, gt=0, le=3600)
    step_limit_seconds: float = Field(default=900.0, gt=0)
    memory_limit_mb: int = Field(default=0, ge=0)
    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:\d+)?)$")
    ui_address: str = "127.0.0.1"
    ui_port: int = Field(default=8501, ge=1, le=65535)
    ui_token: SecretStr = SecretStr("")
    ui_viewer_token: SecretStr = SecretStr("")
    api_address: str = "127.0.0.1"
    api_port: int = Field(default=8502, ge=1, le=65535)
    api_token: SecretStr = SecretStr("")
    commands: str = ""
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_target: Literal["files", "stderr"] = "files"

    @cached_property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.home.expanduser().resolve() / 'organon.db'}"

    @cached_property
    def folder(self) -> Path:
        """``home``, absolute."""
        return self.home.expanduser().resolve()

    def make_home(self) -> Path:
        """The home folder, made for its owner alone if it is not there."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OrganonError(
                f"ORGANON_HOME {self.folder} cannot be made ({error.strerror}); choose another folder"
            ) from None
        return self.folder

    @property
    def secrets(self) -> dict[str, str]:
        """Every secret by the variable that it comes from; empty where there is none."""
        return {
            "ORGANON_API_TOKEN": self.api_token.get_secret_value(),
            "ORGANON_UI_TOKEN": self.ui_token.get_secret_value(),
            "ORGANON_UI_VIEWER_TOKEN": self.ui_viewer_token.get_secret_value(),
            "ORGANON_DATABASE_URL": url_password(self.database_url),
            "ORGANON_BROKER_URL": url_password(self.broker_url),
        }

    @property
    def embedded_broker(self) -> bool:
        return not self.broker_url

    @cached_property
    def queue(self) -> str:
        """The queue's name: workers and commands of one database share it, others on the same broker do not."""
        return "organon-" + hashlib.sha256(self.database.encode()).hexdigest()[:12]

    @property
    def job_queue(self) -> str:
        """The queue of jobs beside campaigns, whose messages need not wait behind those of blocks."""
        return f"{self.queue}-jobs"


def load_settings() -> Settings:
    """The settings of this process's environment; OrganonError names one that is wrong, or a placeholder."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "ORGANON_" + "_".join(str(part) for part in first["loc"]).upper()
        raise OrganonError(f"the setting {name}={first.get('input')!r} is not usable: {first['msg']}") from None
    refuse_placeholders(settings.secrets)
    return settings
