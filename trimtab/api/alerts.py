"""`/alerts`: what Alertmanager tells us by its webhook, and shows it again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rules import proof_body
from trimtab.api.deps import Deps
from trimtab.api.paging import read_cursor, write_cursor
from trimtab.api.problems import problem_responses
from trimtab.api.schemas import AlertList, ProofPage, Received
from trimtab.moments import moment
from trimtab.present import told_body
from trimtab.store.journal import Alert

MOST_AT_ONCE = 10_000  # alerts of one notification


class AlertIn(BaseModel):
    """One alert of the payload; fields of later versions are let through."""

    model_config = ConfigDict(extra="ignore")

    status: str = Field(max_length=16)
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)
    startsAt: AwareDatetime  # noqa: N815  Alertmanager's own name
    endsAt: AwareDatetime | None = None  # noqa: N815  while it fires, year 1 or a time to come
    fingerprint: str = Field(min_length=1, max_length=64)

    @property
    def ends_at(self) -> datetime | None:
        """When it ended; None while it fires, whatever time to come is told, and where none is."""
        known = self.endsAt is not None and self.endsAt.year > 1
        return self.endsAt if known and self.status == "resolved" else None


class WebhookIn(BaseModel):
    """Alertmanager's webhook payload (version 4), as far as it is used."""

    model_config = ConfigDict(extra="ignore")

    alerts: list[AlertIn] = Field(max_length=MOST_AT_ONCE)


def router(deps: Deps) -> APIRouter:
    """The routes, over the store of `deps`."""
    routes = APIRouter(tags=["alerts"])

    @routes.post("/alerts/webhook", response_model=Received, responses=problem_responses())
    def take_alerts(payload: WebhookIn) -> dict[str, int]:
        """The address to give Alertmanager as a webhook receiver."""
        now = deps.clock()
        deps.journal.keep_alerts(
            [
                Alert(
                    fingerprint=alert.fingerprint,
                    status=alert.status,
                    starts_at=alert.startsAt,
                    ends_at=alert.ends_at,
                    received_at=now,
                    labels=alert.labels,
                    annotations=alert.annotations,
                )
                for alert in payload.alerts
            ]
        )
        return {"received": len(payload.alerts)}

    @routes.get("/alerts", response_model=AlertList, responses=problem_responses())
    def list_alerts() -> dict[str, Any]:
        """Alerts, the latest told first; at most 200."""
        return {
            "items": [
                told_body(alert)
                | {
                    "fingerprint": alert.fingerprint,
                    "received_at": moment(alert.received_at),
                    "labels": alert.labels,
                    "annotations": alert.annotations,
                }
                for alert in deps.journal.alerts()
            ]
        }

    @routes.get("/alerts/proofs", response_model=ProofPage, responses=problem_responses())
    def list_proofs(
        workload: Annotated[str | None, Query(description="Only of this workload.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="Most items of a page.")] = 200,
        cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    ) -> dict[str, Any]:
        """What each alert rule would have done on real history, as last replayed."""
        place = read_cursor(cursor, 2, workload)
        found = {
            about: proof
            for about, proof in deps.proofs.all().items()
            if workload in (None, about[0]) and (place is None or about > (str(place[0]), str(place[1])))
        }
        page = list(found)[:limit]
        return {
            "items": [proof_body(*about, found[about]) for about in page],
            "next": write_cursor(page[-1] if len(found) > limit else None, workload),
        }

    return routes
