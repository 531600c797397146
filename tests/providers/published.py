"""The providers' own specifications, as data to check composed requests with."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

_FOLDER = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared" / "contracts"))


@cache
def specification(name: str) -> dict[str, Any]:
    """A specification as published; skips the test where the folder is absent."""
    file = _FOLDER / name
    if not file.exists():
        pytest.skip(f"no {name} in {_FOLDER}; set CONTRACTS_DIR to check against the provider's own specification")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def assert_fits(value: object, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Fail unless `value` fits a schema of an OpenAPI document."""
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)
