"""Alembic's entry: runs the migrations on the connection it is handed."""

from __future__ import annotations

from alembic import context

from b24app.store.database import open_database
from b24app.store.tables import metadata

handed = context.config.attributes.get("connection")
if handed is not None:
    context.configure(connection=handed, target_metadata=metadata, render_as_batch=True)
    context.run_migrations()
else:
    engine = open_database(context.config.attributes["url"])
    with engine.begin() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        context.run_migrations()
    engine.dispose()
