"""Airflow reads this in each of its processes. The scheduler loads what every task needs, once.

LocalExecutor forks its tasks from the scheduler, so they inherit these modules: a task that judges
a file then starts in 0.5 s instead of 4 s. Not polars: it has threads, and threads do not survive
a fork.
"""

import sys

if "scheduler" in sys.argv:
    import boto3  # noqa: F401
    import great_expectations  # noqa: F401
    import openlineage.client.event_v2  # noqa: F401
    import psycopg  # noqa: F401
    import typst  # noqa: F401

    import sluice.exchange.drain
    import sluice.exchange.house  # noqa: F401
