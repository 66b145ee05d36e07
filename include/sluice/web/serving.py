"""Make the apps that Airflow's API server mounts, and prepare its process to serve them."""

import gc
from typing import Any

from sluice.web import api
from sluice.web.pages import app as pages


def make_apps() -> list[dict[str, Any]]:
    """Return the apps with name and prefix in the form of Airflow's plugins. Call once, when the server starts."""
    apps = [
        {"name": "sluice", "app": api.make_api(), "url_prefix": api.MOUNT},
        {"name": "sluice-pages", "app": pages.make_pages(), "url_prefix": pages.MOUNT},
    ]
    settle()
    return apps


def settle() -> None:
    """Exempt imports from garbage collection: looking at 650,000 objects again cost one page in eight half a second."""
    gc.collect()
    gc.freeze()
