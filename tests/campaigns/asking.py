"""Campaigns as a program asks for them in tests."""

from typing import Any

from tests.builders import Caller


def body(**changes: Any) -> dict[str, Any]:
    """A small campaign for everybody, at once."""
    usual = {"name": "Spring", "segment": "everybody", "variants": [{"template": "sale"}], "channels": ["email"]}
    return {**usual, **changes}


def written(shop: Caller, **changes: Any) -> str:
    """The id of a draft that was written."""
    answer = shop.post("/v1/campaigns", body(**changes))
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def errors(answer: Any) -> dict[str, str]:
    """What an answer of 422 says of each field."""
    assert answer.status_code == 422, answer.content
    return {one["field"]: one["message"] for one in answer.json()["errors"]}
