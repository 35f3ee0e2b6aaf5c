"""What Alembic runs: the migrations, on the connection that :mod:`serving.merger.review.migrate` holds the lock on."""

from alembic import context

from serving.merger.review.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
