"""Services that run on one machine (PostgreSQL, S3, Airflow): start, check and stop them."""
