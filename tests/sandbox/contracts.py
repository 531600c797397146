"""The providers' own published specifications, to hold answers against."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.sandbox.world import ROOT


class Contract:
    """One OpenAPI 3 document."""

    def __init__(self, document: dict[str, Any]) -> None:
        # A format that no validator knows is ignored; `nullable` is OpenAPI's word, not JSON Schema's.
        self._document = _with_null(document)

    @classmethod
    def load(cls, name: str) -> "Contract":
        """The contract in file `name`; skips the test where the folder of contracts is absent."""
        folder = Path(os.environ.get("CONTRACTS_DIR") or ROOT.parent / "shared" / "contracts")
        if not (folder / name).exists():
            pytest.skip(f"The providers' contracts are not in {folder}; CONTRACTS_DIR names their folder.")
        return cls(json.loads((folder / name).read_text()))

    def check(self, answer: object, schema: str) -> None:
        """Raise unless `answer` is what the contract calls `schema`."""
        reference = {"$ref": f"#/components/schemas/{schema}"}
        Draft202012Validator(reference | {"components": self._document["components"]}).validate(answer)

    def example(self, schema: str) -> dict[str, Any]:
        """A value with every field that `schema` has."""
        found: dict[str, Any] = self._filled({"$ref": f"#/components/schemas/{schema}"})
        return found

    def _filled(self, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            return self._filled(self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"), schema.get("format"):
            case "object", _:
                return {name: self._filled(part) for name, part in schema.get("properties", {}).items()}
            case "array", _:
                return [self._filled(schema["items"])]
            case "boolean", _:
                return True
            case "integer" | "number", _:
                return 1
            case _, "google-duration":
                return "3.5s"
            case _, "google-datetime":
                return "2026-01-01T00:00:00Z"
            case _:
                return "text"


def _with_null(node: Any) -> Any:
    match node:
        case dict():
            changed = {key: _with_null(value) for key, value in node.items()}
            if changed.pop("nullable", False) is True and isinstance(changed.get("type"), str):
                changed["type"] = [changed["type"], "null"]
            return changed
        case list():
            return [_with_null(item) for item in node]
        case _:
            return node
