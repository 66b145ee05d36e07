"""What waits for a person: rows to review, and cases by when they were opened."""

from sluice.migrations.steps import sql_beside

revision = "0024"
down_revision = "0023"
upgrade = sql_beside(__file__)
