"""What Airflow's API server mounts, and how its process is left to serve it."""

import gc
from typing import Any

from sluice.web import api
from sluice.web.pages import app as pages


def make_apps() -> list[dict[str, Any]]:
    """The apps with their names and places, as Airflow's plugins say them; to be made once, at the server's start."""
    apps = [
        {"name": "sluice", "app": api.make_api(), "url_prefix": api.MOUNT},
        {"name": "sluice-pages", "app": pages.make_pages(), "url_prefix": pages.MOUNT},
    ]
    settle()
    return apps


def settle() -> None:
    """What was imported is no garbage: to look at 650,000 objects again cost one page in eight half a second."""
    gc.collect()
    gc.freeze()
