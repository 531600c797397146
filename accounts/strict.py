"""Serializers that refuse names they do not know."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict


class Strict(serializers.Serializer[Any]):
    """A serializer that refuses unknown names: a misspelt field is an error, not a silence.

    Its fields are made once, not copied for every request; they may not keep anything of one, nor ask for its context.
    """

    @property
    def fields(self) -> BindingDict:
        """The fields by name."""
        return _fields_of(type(self))

    def to_internal_value(self, data: Any) -> Any:
        """Check names and values, and report all that is wrong with either."""
        unknown = self._unknown(data)
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if unknown and isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **unknown}) from None
            raise
        if unknown:
            raise serializers.ValidationError(unknown)
        return value

    def _unknown(self, data: Any) -> dict[str, str]:
        if not isinstance(data, Mapping):
            return {}
        known = sorted(name for name, field in self.fields.items() if not field.read_only)
        return {str(name): f"Unknown field. Known ones: {', '.join(known)}." for name in data if name not in set(known)}


@cache
def _fields_of(kind: type[Strict]) -> BindingDict:
    first = kind()
    fields = BindingDict(first)
    for name, field in first.get_fields().items():
        _say_what_is_known(field)
        fields[name] = field
    return fields


def _say_what_is_known(field: serializers.Field[Any, Any, Any, Any]) -> None:
    """Where one word of a few is asked for, the error names them."""
    if isinstance(field, serializers.ListField):
        _say_what_is_known(field.child)
    elif isinstance(field, serializers.ChoiceField):
        field.error_messages["invalid_choice"] = f'"{{input}}" is none of {", ".join(map(str, field.choices))}.'
