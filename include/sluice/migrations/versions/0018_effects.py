"""What a suppression reaches; dial lists; the imported Do-Not-Call-Me list; corrections, without their values."""

from sluice.migrations.steps import sql_beside

revision = "0018"
down_revision = "0017"
upgrade = sql_beside(__file__)
