"""The step of a version: run the SQL of its file. There are no downgrades: a migration must not remove evidence."""

from collections.abc import Callable
from pathlib import Path


def sql_beside(file: str) -> Callable[[], None]:
    """The ``upgrade`` function of a version: runs the SQL file beside it. ``file``: the version's ``__file__``.

    It runs on the driver's own connection, without parameters, so ``%`` and ``:`` are plain text. Raises psycopg.Error.
    """

    def upgrade() -> None:
        from alembic import op

        driver = op.get_bind().connection.driver_connection
        assert driver is not None
        driver.execute(Path(file).with_suffix(".sql").read_text(encoding="utf-8"))

    return upgrade
