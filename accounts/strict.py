"""Serializers that refuse names they do not know."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class Strict(serializers.Serializer[Any]):
    """A serializer that refuses unknown names: a misspelt field is an error, not a silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Check the names first, then the values."""
        if isinstance(data, Mapping):
            known = {name: field for name, field in self.fields.items() if not field.read_only}
            if unknown := sorted(set(data) - set(known)):
                names = ", ".join(sorted(known))
                raise serializers.ValidationError(dict.fromkeys(unknown, f"Unknown field. Known ones: {names}."))
        return super().to_internal_value(data)
