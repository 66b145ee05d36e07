"""Airflow: DAGs made from papers, triggers and notifiers; names and ids, never content."""
