"""What a version does: SQL, as it stands in its file. There is no way back: evidence is not removed by a migration."""

from collections.abc import Callable
from pathlib import Path


def sql_beside(file: str) -> Callable[[], None]:
    """The ``upgrade`` of a version whose SQL lies beside it; ``file``: its ``__file__``."""
    return lambda: run_sql(Path(file).with_suffix(".sql").read_text(encoding="utf-8"))


def run_sql(statements: str) -> None:
    """Run SQL on the driver's own connection: no parameters, so ``%`` and ``:`` are text. Raises psycopg.Error."""
    from alembic import op

    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(statements)
