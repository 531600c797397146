"""Somebody whom the providers call back."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl


class Platform:
    """Somebody who is called back; refuses the first `busy` calls."""

    def __init__(self, busy: int = 0) -> None:
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.busy = busy
        platform = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = 503 if platform.busy else 204
                platform.busy = max(0, platform.busy - 1)
                if status == 204:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    platform.calls.append((platform.url + self.path, headers, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def forms(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(body.decode(), keep_blank_values=True)) for _, _, body in self.calls]

    def events(self) -> list[dict[str, Any]]:
        return [event for _, _, body in self.calls for event in json.loads(body)]
