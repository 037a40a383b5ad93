"""Builds the application; nothing happens at import, and nothing is taken from the surroundings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from serving import problems
from serving.measure import LimitBody, Measure
from serving.metrics import Metrics
from serving.routes import batches, inference, management, operations, protocol, services
from serving.settings import Settings
from serving.state import Clocks, Serving

ROUTERS = (operations.router, inference.router, protocol.router, management.router, batches.router, services.router)


def create_app(settings: Settings, registry: CollectorRegistry, clocks: Clocks) -> FastAPI:
    """The application; its `Serving` is `app.state.serving`. Models load in the background once it is started."""
    serving = Serving(settings, Metrics(settings.service, registry), clocks)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        loading = asyncio.create_task(serving.start())
        try:
            yield
        finally:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
            await serving.close()

    # The pages of documentation would load scripts from elsewhere; /openapi.json says the same.
    app = FastAPI(
        title="Trimtab serving",
        version=version("trimtab"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.serving = serving
    problems.install(app)
    app.add_middleware(LimitBody, most=settings.max_body_bytes)
    app.add_middleware(Measure, metrics=serving.metrics, clock=clocks.monotonic)
    for router in ROUTERS:
        app.include_router(router)
    return app
