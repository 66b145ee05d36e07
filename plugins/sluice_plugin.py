"""Sluice inside Airflow. Every Airflow process runs this file; only the API server asks it for its apps."""

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class SluicePlugin(AirflowPlugin):
    """What Sluice adds to Airflow's API server."""

    name = "sluice"
    # Relative to the `<base>` of Airflow's page, so that a path prefix of a proxy stands in front.
    external_views = [  # noqa: RUF012  # Airflow reads a list
        {"name": "Today", "href": "sluice/pages/start", "destination": "nav", "url_route": "sluice-start"},
        {"name": "Exchanges", "href": "sluice/pages/exchanges", "destination": "nav", "url_route": "sluice-exchanges"},
        {"name": "Cases", "href": "sluice/pages/cases", "destination": "nav", "url_route": "sluice-cases"},
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # nobody writes it
        """The apps, made when they are asked for, so that no other process imports them."""
        from sluice.web.serving import make_apps

        return make_apps()
