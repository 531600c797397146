"""JSON that a person types into a form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from accounts import storable


class JSONInput(forms.JSONField):
    """Says what is wrong with JSON that is nested too deeply to read, or that the database cannot keep."""

    def to_python(self, value: Any) -> Any:
        """The decoded value. Raises `ValidationError`."""
        try:
            decoded = super().to_python(value)
            storable.check(decoded)
        except RecursionError:
            raise ValidationError("Enter a valid JSON: this one is nested too deeply.") from None
        except storable.NotStorable as error:
            raise ValidationError(str(error)) from None
        return decoded

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What is shown again beside the error: what cannot be kept stands as it was typed."""
        try:
            decoded = super().bound_data(data, initial)
            storable.check(decoded)
        except (RecursionError, storable.NotStorable):
            return InvalidJSONInput(data)
        return decoded
