"""Bringing a database to the newest schema, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from b24app.store.database import open_database


def config(url: str) -> Config:
    """Return Alembic's settings for a database."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["url"] = url
    return made


def migrate(url: str) -> None:
    """Upgrade the schema; a database that is new enough is left alone."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    made = config(url)
    engine = open_database(url)
    try:
        with engine.begin() as connection:
            made.attributes["connection"] = connection
            command.upgrade(made, "head")
    finally:
        engine.dispose()


def behind(connection: Connection) -> bool:
    """Tell whether a database lacks migrations this version of the application needs."""
    head = ScriptDirectory.from_config(config("")).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() != head
