"""The pages and the API in a real browser: the apps that Airflow mounts, behind a server of this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from airflow.api_fastapi.app import create_auth_manager
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from returns.commands import at_terminal
from support.desk import Desk
from web.house import LOGIN, LoggedIn, running_apps

ANNA = quote("anna:USER")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]
"""Root's browser has no sandbox, and of /dev/shm a container has 64 MB, with which it hangs."""
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@dataclass(frozen=True)
class Site:
    """Where the pages are, and the browser that looks at them."""

    desk: Desk
    base: str
    browser: Browser

    def context(self, scheme: Any = "light", viewport: Any = None, **more: Any) -> BrowserContext:
        """A browser in which Anna is logged in; ``scheme``: light or dark."""
        context = self.browser.new_context(
            base_url=self.base,
            color_scheme=scheme,
            viewport=viewport or WIDE,
            locale="en",
            **more,
        )
        context.add_cookies([{"name": LOGIN, "value": ANNA, "url": self.base}])
        return context


@contextmanager
def open_site(desk: Desk, chromium: str) -> Iterator[Site]:
    """Serve the apps in the installation of a desk, and open a browser on them."""
    create_auth_manager()
    app = LoggedIn(Starlette(routes=[Mount(mount, each) for mount, each in running_apps().items()]))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    with pytest.MonkeyPatch.context() as patch, at_terminal(desk, patch):
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                yield Site(desk, f"http://127.0.0.1:{port}", browser)
                browser.close()
        finally:
            server.should_exit = True
            thread.join(10)
