"""Alembic's entry: runs the migrations on the connection that `catchment.store.migrate` hands in."""

from alembic import context

from catchment.store.tables import with_postgresql

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=with_postgresql(),
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
