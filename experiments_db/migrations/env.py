"""Run by alembic: migrate over the connection, and inside the transaction, that `experiments_db.schema` hands over."""

from alembic import context

from experiments_db.models import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
