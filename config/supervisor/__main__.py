"""All processes of the platform from one command: `python -m config.supervisor [name | name=count …]`.

Starts the embedded servers where no URL names others, and takes another port when PORT (8000) is taken. Ctrl-C ends
every process; the embedded servers stay, for the next start: `python -m config.embedded stop` ends them.
"""

import argparse
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

from config import embedded
from config.supervisor import Supervisor, Watch, procfile

_ROOT: Final = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Run the wished processes until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m config.supervisor", description=__doc__)
    parser.add_argument("names", nargs="*", help="which processes, and how many: web ios=2 (default: one of each)")
    wishes = parser.parse_args().names
    try:
        lines = procfile.chosen(procfile.read(_ROOT / "Procfile", _ROOT / "Procfile.dev"), wishes)
        embedded.start_unless_given()
    except (procfile.UnknownProcess, embedded.ServiceUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    env = environment(dict(os.environ))
    authority = embedded.run_dir() / "sandbox" / "ca.pem"
    if authority.exists():
        env.setdefault("WIRE_CA_FILE", str(authority))
        env.setdefault("WIRE_PRIVATE_HOSTS", "localhost")
    supervisor = Supervisor(lines, env, watch=Watch(embedded.run_dir(), env))
    try:
        supervisor.start()
        supervisor.wait()
    except KeyboardInterrupt:
        print("Stopping …", flush=True)
    finally:
        supervisor.stop()
    return 0


def environment(env: dict[str, str]) -> dict[str, str]:
    """`env` with the programs of this Python first on the path, and with a port that is free for `web`."""
    port = env.get("PORT") or str(free_port(8000))
    return {
        "PUBLIC_URL": f"http://localhost:{port}",
        **env,
        "PORT": port,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', os.defpath)}",
    }


def free_port(wished: int) -> int:
    """`wished` if nothing listens there on this machine, else any free port."""
    with suppress(OSError), socket.create_connection(("localhost", wished), timeout=1):
        wished = 0
    for port in (wished, 0):
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("No port is free on 127.0.0.1.")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
