"""A query parameter that a route does not know is refused: a misspelt filter would answer with everything."""

from __future__ import annotations

from fastapi import Request
from starlette.exceptions import HTTPException

from trimtab.pricednames import near


def refuse_unknown(request: Request) -> None:
    """422 that names each query parameter that the OpenAPI document has not, the nearest that it has, and all that it has.

    A route that takes a body (the webhook) lets them pass: whoever sends it an address of his own does not look at the answer.
    """
    if not request.query_params:
        return
    described = request.app.openapi()["paths"][request.scope["route"].path_format][request.method.lower()]
    if "requestBody" in described:
        return
    known = [each["name"] for each in described.get("parameters", ()) if each["in"] == "query"]
    strangers = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if strangers:
        raise HTTPException(422, "; ".join(_refusal(name, known) for name in strangers))


def _refusal(name: str, known: list[str]) -> str:
    return f"{name!r} is no parameter; {near(name, known)}known here: {', '.join(known) or 'none'}"
