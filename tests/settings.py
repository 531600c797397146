"""The settings of a test run: the platform's own, on servers that are started here unless the environment names some.

Each pytest-xdist worker has databases of its own; pytest-django sees to PostgreSQL's, this file to Redis'. Two runs at
once in one checkout need two run folders: `BONGSU_RUN_DIR=.run2 make test`.
"""

import os
import re
from urllib.parse import urlsplit, urlunsplit

from config import embedded

_services = embedded.start_unless_given() or embedded.urls(embedded.run_dir())


def _of_this_worker(redis_url: str) -> str:
    """`redis_url` with a database for this pytest-xdist worker: 1 for a run without workers, then 2 for gw0, …

    Database 0 is left alone: a demo may be running on the same Redis.
    """
    worker = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    number = int(worker[1]) + 2 if worker else 1
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return urlunsplit(parts._replace(path=f"/{number}"))


# In the environment, so that processes which a test starts use the same servers.
os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or _services.database_url
os.environ["REDIS_URL"] = _of_this_worker(os.environ.get("REDIS_URL") or _services.redis_url)

from config.settings import *  # noqa: E402, F403  after the environment is set, which it reads
