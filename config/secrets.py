"""Secrets for a machine that was given none: made once, kept in a file only its owner can read."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe

from cryptography.fernet import Fernet


def new_secret() -> str:
    """A key for signing: 384 random bits."""
    return token_urlsafe(48)


def new_vault_key() -> str:
    """A Fernet key for the vault."""
    return Fernet.generate_key().decode()


def kept(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made by `make` where there is none yet; two processes at once agree on one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # A whole draft is linked into place, so nobody ever reads half a secret; the first link wins.
        descriptor, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        with suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_text().strip()
