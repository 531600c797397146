"""The admin as somebody sees it who is signed in."""

import http.client
import re
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urlencode

from benchmarks.stage import Stage, Void

_NAME, _PASSWORD = "onlooker", "looks-on-while-others-run"
_LOGIN: Final = "/admin/login/"


class Onlooker:
    """An administrator in front of a browser."""

    def __init__(self, stage: Stage) -> None:
        self._connection = stage.connection()
        self._cookies: SimpleCookie = SimpleCookie()
        if not stage.rows("SELECT 1 FROM auth_user WHERE username = %s", _NAME):
            stage.manage(
                "createsuperuser", "--noinput", "--username", _NAME, "--email", "onlooker@example.com",
                DJANGO_SUPERUSER_PASSWORD=_PASSWORD,
            )  # fmt: skip
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(_LOGIN))
        if token is None:
            raise Void("the admin's login shows no form")
        said = {"username": _NAME, "password": _PASSWORD, "csrfmiddlewaretoken": token[1]}
        self._ask("POST", _LOGIN, urlencode(said), {"Content-Type": "application/x-www-form-urlencoded"})
        if "sessionid" not in self._cookies:
            raise Void("the admin does not let its administrator in")

    def get(self, path: str) -> str:
        """A page. Raises `Void` where there is none."""
        status, text = self._ask("GET", path)
        if status != http.client.OK:
            raise Void(f"{path} answered {status}: {text[:300]}")
        return text

    def _ask(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        cookies = "; ".join(f"{name}={one.value}" for name, one in self._cookies.items())
        self._connection.request(method, path, body, {"Cookie": cookies, **(headers or {})})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self._cookies.load(line)
        return answer.status, text
