"""What runs on one machine: PostgreSQL, S3, Airflow, started, looked at, stopped."""
