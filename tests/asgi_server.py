"""An ASGI application behind a real HTTP server on a free loopback port, in a thread of the test's own process."""

from __future__ import annotations

import socket
import threading
from typing import Any, Self

import httpx
import uvicorn

from tests.servers import wait_until


class AsgiServer:
    """A context manager; `client` asks the application."""

    def __init__(self, app: Any) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self.client = httpx.Client(base_url=self.url, timeout=30.0, trust_env=False)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self._server.started, within_s=10, what="the application to listen")
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
