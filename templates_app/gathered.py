"""What a text is given of several messages that are sent as one. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

#: Names that a text finds in a digest, whatever the messages say.
ITEMS, COUNT = "items", "count"
#: Messages that a text is given; `count` is the true number.
SHOWN: Final = 100


def alone(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where one message is sent at once by a text that tells of many."""
    return {ITEMS: [data], COUNT: 1}


def completed(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    """Sample data as a text is given it, which has the list where the author wrote one."""
    return {**alone(sample), **sample}


def together(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Of many messages, the oldest first; what the text asks for outside of them the oldest says."""
    return {**messages[0], ITEMS: list(messages[:SHOWN]), COUNT: len(messages)}


def is_given(path: str) -> bool:
    """Whether a dotted path leads into what a digest gives, so that no caller has to."""
    return path.split(".", maxsplit=1)[0] in (ITEMS, COUNT)
