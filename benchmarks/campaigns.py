"""Campaigns as programs write, start and watch them."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from benchmarks.stage import Stage, Void


def written(stage: Stage, prefix: str, templates: Sequence[str]) -> str:
    """A segment of those whose external id begins with `prefix`, and a draft for it by push; the id of the draft."""
    name = f"{prefix} {uuid4()}"
    rules = {"field": "external_id", "is": "begins with", "value": prefix}
    stage.rows(
        "INSERT INTO campaigns_segment (id, name, kind, rules) VALUES (gen_random_uuid(), %s, 'rules', %s)",
        name,
        json.dumps(rules),
    )
    told = asked(
        stage,
        "POST",
        "/v1/campaigns",
        {
            "name": name,
            "segment": name,
            "variants": [{"template": one} for one in templates],
            "channels": ["push"],
            "data": {"user_name": "지민", "product_name": "겨울 신발"},
        },
    )
    return str(told["id"])


def start(stage: Stage, campaign: str) -> None:
    """Let it go out."""
    asked(stage, "POST", f"/v1/campaigns/{campaign}/start")


def latest_run(stage: Stage, campaign: str) -> dict[str, Any]:
    """How far it is."""
    told: dict[str, Any] = asked(stage, "GET", f"/v1/campaigns/{campaign}")["run"]
    return told


def asked(stage: Stage, method: str, path: str, body: object | None = None) -> Any:
    """What the API answers. Raises `Void` where it refuses, and `OSError` or `HTTPException` where it is not there."""
    connection = stage.connection()
    try:
        connection.request(method, path, None if body is None else json.dumps(body).encode(), stage.headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise Void(f"{method} {path} answered {answer.status}: {text[:300]!r}")
    return json.loads(text)
