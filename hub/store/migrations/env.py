"""Alembic's entry. In: the connection that hub.store.schema hands over. Out: the steps, run in its transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
