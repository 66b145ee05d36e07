"""What an exchange says to a register is noted when it is closed."""

from sluice.migrations.steps import sql_beside

revision = "0032"
down_revision = "0031"
upgrade = sql_beside(__file__)
