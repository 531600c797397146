"""The providers' own specifications, as data to check composed requests with."""

import json
import os
from functools import cache
from importlib.resources import files
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


@cache
def discovered(api: str, version: str) -> dict[str, Any]:
    """Google's discovery document of an API, which comes with its client, as an OpenAPI document of schemas alone."""
    folder = Path(str(files("googleapiclient.discovery_cache"))) / "documents"
    found = json.loads((folder / f"{api}.{version}.json").read_text())
    return {"components": {"schemas": {name: _converted(schema) for name, schema in found["schemas"].items()}}}


def _converted(node: Any) -> Any:
    """A schema of the discovery format: references are bare names, and nothing is allowed that is not named."""
    match node:
        case {"$ref": name}:
            return {"$ref": f"#/components/schemas/{name}"}
        case dict():
            kept = {name: value for name, value in node.items() if name in _KEYWORDS}
            if "properties" in kept:
                kept["properties"] = {name: _converted(value) for name, value in node["properties"].items()}
                kept.setdefault("additionalProperties", False)
            for name in ("items", "additionalProperties"):
                if name in kept:
                    kept[name] = _converted(kept[name])
            return {} if kept.get("type") == "any" else kept
        case _:
            return node


#: Of the discovery format, what JSON Schema means by the same word.
_KEYWORDS = {"type", "properties", "items", "additionalProperties", "enum", "pattern"}
