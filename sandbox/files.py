"""Files that others must not read, and that nobody may find half-written."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` with `content` in one step, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
