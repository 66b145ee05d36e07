"""Returns: what they are made of, who prepared and released them, and whether the principal acknowledged."""

from sluice.migrations.steps import sql_beside

revision = "0005"
down_revision = "0004"
upgrade = sql_beside(__file__)
