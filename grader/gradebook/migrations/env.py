"""Runs the steps in the transaction that `grader.gradebook.schema` has begun."""

from alembic import context

from grader.gradebook.schema import VERSION_TABLE
from grader.gradebook.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
