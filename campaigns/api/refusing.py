"""What cannot be done, as programs are told."""

from collections.abc import Callable
from typing import TypeVar

from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError

from campaigns import controlling, reviewing

Done = TypeVar("Done")


class NotPossible(APIException):
    """The campaign, or its run, is in no state for that."""

    status_code = status.HTTP_409_CONFLICT


def possible(act: Callable[[], Done]) -> Done:
    """Do it. Raises `NotPossible` (409), and `ValidationError` (422) with the fields that say why not."""
    try:
        return act()
    except controlling.UnknownVariant as error:
        raise ValidationError({"variant": str(error)}) from None
    except reviewing.NotReady as error:
        raise ValidationError(_by_field(error)) from None
    except (controlling.CannotDo, reviewing.NotAllowed) as error:
        raise NotPossible(str(error)) from None


def _by_field(error: reviewing.NotReady) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in error.problems:
        found.setdefault(problem.field, []).append(problem.message)
    return found
