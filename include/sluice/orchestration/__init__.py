"""Airflow: DAGs made from agreements and contracts, triggers, notifiers. Airflow sees names and ids, never content."""
