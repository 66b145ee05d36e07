"""Behind the login of Airflow: pages and the API, reading through the same queries as the command."""
