"""Airflow reads this in each of its processes. The one that forks the tasks loads what they need, once.

That is the scheduler with LocalExecutor and each worker with CeleryExecutor: tasks inherit these
modules, and one that judges a file then starts in 0.5 s instead of 4 s. Not polars: it has threads,
and threads do not survive a fork.
"""

import sys

from airflow.configuration import conf

if ("worker" if "Celery" in conf.get("core", "executor") else "scheduler") in sys.argv:
    import boto3  # noqa: F401
    import great_expectations  # noqa: F401
    import openlineage.client.event_v2  # noqa: F401
    import psycopg  # noqa: F401
    import typst  # noqa: F401

    import sluice.exchange.drain
    import sluice.exchange.house  # noqa: F401
