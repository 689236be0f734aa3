"""Uvicorn, stopped cleanly even while browsers listen."""

from __future__ import annotations

import uvicorn

from bridge.config import Settings


def serve(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM."""
    host, port = settings.web.address
    config = uvicorn.Config(
        "storage.asgi:application", host=host, port=port, lifespan="off", log_config=None, access_log=False,
        server_header=False, timeout_graceful_shutdown=2,
    )  # fmt: skip
    uvicorn.Server(config).run()
    return 0
