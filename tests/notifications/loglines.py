"""What the platform would write to standard error: through its own formatter, as one text."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from config.logging import logging_config


@contextmanager
def written(style: str = "json") -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, also by what usually says little."""
    formatter: dict[str, Any] = logging_config(style=style, level="DEBUG")["formatters"]["structured"]
    made = formatter.pop("()")
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(made(**formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def noted(text: io.StringIO, event: str) -> list[dict[str, Any]]:
    """The lines of what was `written` that tell of one kind of event."""
    lines = [json.loads(line) for line in text.getvalue().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == event]
