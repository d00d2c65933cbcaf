"""Can work be taken: does the database answer, with the tables this version needs and the key it was written with?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from b24app.engine.workshop import Workshop
from b24app.store.secrets import WrongSecretKey


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether callbacks can be stored; ``problem`` is one word otherwise."""

    ready: bool
    problem: str = ""


def readiness(workshop: Workshop) -> Readiness:
    """Read the portals, which needs the database, its tables and the secret key."""
    try:
        with workshop.database.read() as connection:
            workshop.portals.all(connection)
    except DBAPIError:
        return Readiness(False, "database")
    except WrongSecretKey:
        return Readiness(False, "secret_key")
    return Readiness(True)
