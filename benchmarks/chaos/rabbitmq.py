"""A RabbitMQ of our own, on loopback, for as long as it is needed."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.stage import Void

#: Where Debian keeps the script that starts a node as whoever calls it.
_SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_PATIENCE: Final = 90.0


@contextlib.contextmanager
def rabbitmq() -> Iterator[str]:
    """Its address. Raises `Void` where it is not installed, or does not come up."""
    if not _SERVER.exists():
        raise Void("RabbitMQ is not installed: apt-get install --no-install-recommends rabbitmq-server")
    folder = Path(tempfile.mkdtemp(prefix="bongsu-rabbitmq-"))
    port, distribution = _free_port(), _free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"bongsu{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # the port mapper that a node starts outlives it; one of our own ends with it
        "ERL_EPMD_PORT": str(_free_port()),
        # it asks for as many files as the machine allows, which may be a billion
        "RABBITMQ_MAX_OPEN_FILES": "1024",
    }
    (folder / "rabbitmq.conf").write_text(f"loopback_users = none\nlisteners.tcp.default = {port}\n")
    (folder / "plugins").write_text("[].\n")
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            [_SERVER], env=env, stdout=output, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
        )
        try:
            _await(process, port, folder)
            yield f"amqp://guest:guest@127.0.0.1:{port}//"
        finally:
            process.terminate()
            process.wait(timeout=60)
            subprocess.run(["epmd", "-kill"], env=env, check=False, capture_output=True)
            shutil.rmtree(folder, ignore_errors=True)


def _await(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            if connection.recv(1):
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise Void(f"RabbitMQ did not come up. It said:\n{(folder / 'output').read_text()[-2000:]}")
        time.sleep(0.5)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
