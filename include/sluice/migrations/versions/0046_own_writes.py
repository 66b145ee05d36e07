"""What erasures put is known by the hash it was put with: an ETag is the MD5 of its bytes on some servers only."""

from sluice.migrations.steps import sql_beside

revision = "0046"
down_revision = "0045"
upgrade = sql_beside(__file__)
