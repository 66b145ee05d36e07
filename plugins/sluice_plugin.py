"""Sluice inside Airflow. Every Airflow process runs this file; only the API server asks it for its apps."""

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class SluicePlugin(AirflowPlugin):
    """What Sluice adds to Airflow's API server."""

    name = "sluice"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # nobody writes it
        """The apps, made when they are asked for, so that no other process imports them."""
        from sluice.web.api import MOUNT, make_api

        return [{"name": "sluice", "app": make_api(), "url_prefix": MOUNT}]
