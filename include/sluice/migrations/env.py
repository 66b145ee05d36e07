"""Alembic's entry: runs the versions on the connection that ``run.py`` hands over.

Only ``sluice.migrations.run`` starts it; there is no alembic.ini and no URL in a file.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="sluice",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
