"""Values of a statement that is put together: each has a place with a name, and none is written into it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Places:
    """The values so far, by the names of their places."""

    values: dict[str, Any] = field(default_factory=dict)

    def put(self, value: Any) -> str:
        """A place for `value`, as psycopg2 writes it."""
        name = f"segment_{len(self.values) + 1}"
        self.values[name] = value
        return f"%({name})s"


def like(prefix: str) -> str:
    """The pattern of LIKE for texts that begin with `prefix`, taken to the letter."""
    for sign in ("\\", "%", "_"):
        prefix = prefix.replace(sign, f"\\{sign}")
    return f"{prefix}%"
