"""The settings of an installation of the application, from the environment (prefix ``B24APP_``) or files.

``B24APP_CLIENT_SECRET_FILE=/run/secrets/x`` reads the value from a file. Everything that is wrong is named at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy.engine import make_url

from b24app.core.text import Lang

PREFIX = "B24APP_"
OFFICIAL_OAUTH_HOSTS = ("oauth.bitrix24.tech", "oauth.bitrix.info")


class BadSettings(Exception):
    """Settings that cannot be started with; ``problems`` name the variable and what is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Settings(BaseModel):
    """What an operator settles. Lists are written with commas."""

    model_config = ConfigDict(frozen=True)

    public_url: str
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[str, Field(min_length=1, repr=False)]
    secret_key: Annotated[str, Field(min_length=16, repr=False)]
    secret_key_other: str = Field(default="", repr=False)
    admin_token: Annotated[str, Field(min_length=16, repr=False)]
    database_url: str = Field(default="sqlite:///var/b24app.db", repr=False)
    spool: Path | None = None
    oauth_hosts: tuple[str, ...] = OFFICIAL_OAUTH_HOSTS
    allow_http: tuple[str, ...] = ()
    portals: tuple[str, ...] = ()
    processes: Path = Path("processes")
    sheets_credentials: str = Field(default="", repr=False)
    spreadsheet_id: str = ""
    sheets_url: str = ""
    reader_period: Annotated[int, Field(ge=5, le=3600)] = 60
    loop_limit: Annotated[int, Field(ge=2, le=1000)] = 10
    retention_days: Annotated[int, Field(ge=30, le=36500)] = 400
    inbox_days: Annotated[int, Field(ge=1, le=36500)] = 30
    timezone: str = "Europe/Moscow"
    lang: Lang = "ru"

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("an address with https:// is wanted")
        return value.rstrip("/")

    @field_validator("secret_key_other")
    @classmethod
    def _key(cls, value: str) -> str:
        if value and len(value) < 16:
            raise ValueError("at least 16 characters are wanted")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("no such time zone (write it like Europe/Moscow)")
        return value

    @field_validator("spreadsheet_id")
    @classmethod
    def _spreadsheet(cls, value: str) -> str:
        """Take the id out of a whole address, too."""
        return value.partition("/spreadsheets/d/")[2].partition("/")[0] or value

    @field_validator("oauth_hosts", "allow_http", "portals", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The key that encrypts and signs, and the other one that what is stored or open may come from."""
        return (self.secret_key, self.secret_key_other) if self.secret_key_other else (self.secret_key,)

    @property
    def exports(self) -> bool:
        """Whether there is a spreadsheet to export to, and a way to it."""
        return bool(self.spreadsheet_id and (self.sheets_credentials or self.sheets_url))

    @property
    def spool_folder(self) -> Path:
        """Where callbacks are kept that the database does not take: beside a SQLite file, where nothing else is settled."""
        if self.spool is not None:
            return self.spool
        url = make_url(self.database_url)
        beside = url.database if url.get_backend_name() == "sqlite" else None
        return Path(beside).parent / "spool" if beside else Path("var/spool")

    @property
    def host(self) -> str:
        """The host (and port) of the public address."""
        return self.public_url.split("://", 1)[1].split("/", 1)[0]


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises `BadSettings` naming every variable that is missing or wrong."""
    environment = os.environ if environment is None else environment
    problems: list[str] = []
    values = {
        name: value
        for name in Settings.model_fields
        if (value := _variable(environment, f"{PREFIX}{name.upper()}", problems)) is not None
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise BadSettings(problems + [_problem(e["loc"], e["type"], e["msg"]) for e in error.errors()]) from None
    if settings.public_url.startswith("http://") and settings.host not in settings.allow_http:
        problems.append(f"{PREFIX}PUBLIC_URL: a portal only calls https addresses (or name {settings.host} in ALLOW_HTTP)")
    if problems:
        raise BadSettings(problems)
    return settings


def _variable(environment: Mapping[str, str], name: str, problems: list[str]) -> str | None:
    if value := environment.get(name, "").strip():
        return value
    path = environment.get(f"{name}_FILE", "").strip()
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        problems.append(f"{name}_FILE: cannot be read ({error.strerror})")
        return None


def _problem(place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = f"{PREFIX}{str(place[0]).upper()}"
    return f"{name}: not set" if kind == "missing" else f"{name}: {message.removeprefix('Value error, ')}"
