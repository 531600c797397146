"""JSON that a person types into a form."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from accounts import storable

#: As deep as programs may nest what they send; deeper values could be read, and then not be shown again.
_DEEPEST: Final = 32


class JSONInput(forms.JSONField):
    """Says what is wrong with JSON that is nested too deeply to read, or that the database cannot keep."""

    def to_python(self, value: Any) -> Any:
        """The decoded value. Raises `ValidationError`."""
        try:
            decoded = super().to_python(value)
            _check_depth(decoded)
            storable.check(decoded)
        except RecursionError:
            raise ValidationError("Enter a valid JSON: this one is nested too deeply.") from None
        except storable.NotStorable as error:
            raise ValidationError(str(error)) from None
        except ValueError:  # of Python, which reads no number of more than 4,300 digits
            raise ValidationError("Enter a valid JSON: a number in this one is too long.") from None
        return decoded

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What is shown again beside the error: what cannot be kept stands as it was typed."""
        try:
            decoded = super().bound_data(data, initial)
            _check_depth(decoded)
            storable.check(decoded)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)
        return decoded


def _check_depth(value: Any, depth: int = 0) -> None:
    """Raises `RecursionError`, long before Python would."""
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, depth + 1)
