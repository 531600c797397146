"""The guests of the demo read their mail by themselves: some open it, some of these follow its link.

They do what a mail program and a browser would: fetch the picture, and ask where the link leads, without going there.
Nothing but the platform on this machine is asked, and of guests' mail only.
"""

import http.client
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final, Self
from urllib.parse import urlsplit
from urllib.request import urlopen

#: How the names of guests begin.
PREFIX: Final = "guest-"

#: As machines are told from people by how soon they look, and by their name: tracking/machines.py.
_SECONDS: Final = (4.0, 7.0)
_BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
#: Mails that wait to be read; more than that are passed over.
_MOST: Final = 5000
_PAUSE: Final = 0.25
_PICTURE, _LINK = "/e/", "/c/"
_PATIENCE: Final = 5.0

#: Of a hundred who get a mail, how many open it and how many follow its link: a discount that is named tempts more.
_USUAL: Final = (40, 14)
_TEMPTED: Final = (55, 34)
_TEMPTING: Final = re.compile(r"\d ?%")
#: Steps around a hundred: who opens, and who is quick, are spread evenly, and are not the same people.
_STRIDE, _PACE = 37, 61


@dataclass(frozen=True, slots=True, order=True)
class Visit:
    """An address that is asked for at a moment, in epoch seconds."""

    at: float
    path: str


class Readers:
    """The guests, as a thread that looks into the sandbox's inbox until it is told to stop."""

    def __init__(self, platform_url: str, inbox_url: str) -> None:
        self._inbox = inbox_url
        self._host = urlsplit(platform_url).netloc
        self._links = re.compile(re.escape(platform_url) + r"(/[ce]/[\w.-]+)")
        self._plan: list[Visit] = []
        self._taken: defaultdict[str, int] = defaultdict(int)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="readers", daemon=True)
        self._newest, self._memory = 0, 0.0
        #: Links that were followed so far.
        self.clicks = 0

    @property
    def are_done(self) -> bool:
        """Whether nobody means to look at anything."""
        return not self._plan

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and wait for the visit that is on its way."""
        self._stopped.set()
        self._thread.join(2 * _PATIENCE)

    def plan(self, mail: Mapping[str, Any]) -> Iterator[Visit]:
        """What a reader does about a mail, and when: nothing, look, or look and click."""
        turn = self._taken[mail["title"]]
        self._taken[mail["title"]] += 1
        opens, clicks = _TEMPTED if _TEMPTING.search(mail["title"]) else _USUAL
        first, last = _SECONDS
        at = mail["at"] + first + (last - first) * (turn * _PACE % 100) / 100
        paths = self._links.findall(mail["html"])
        if turn * _STRIDE % 100 < opens:
            yield from (Visit(at, path) for path in paths if path.startswith(_PICTURE))
        if turn * _STRIDE % 100 < clicks:
            yield from [Visit(at + 0.5, path) for path in paths if path.startswith(_LINK)][:1]

    def _read(self) -> None:
        while not self._stopped.wait(_PAUSE):
            try:
                for mail in self._news():
                    for visit in self.plan(mail):
                        if len(self._plan) < _MOST:
                            heappush(self._plan, visit)
                self._visit()
            except (OSError, http.client.HTTPException):
                continue  # the platform or the sandbox is just being started anew, or stopped

    def _news(self) -> Sequence[Mapping[str, Any]]:
        """Mail to guests that came since the last look, the oldest first."""
        found: list[Mapping[str, Any]] = []
        page = self._page("")
        if page["memory"] != self._memory:
            self._memory, self._newest = page["memory"], 0
            page = self._page("")
        while page["messages"]:
            found += page["messages"]
            page = self._page(f"&before={found[-1]['number']}")
        self._newest = max([self._newest, *(one["number"] for one in found)])
        return [one for one in reversed(found) if one["kind"] == "email" and one["address"].startswith(PREFIX)]

    def _page(self, before: str) -> Mapping[str, Any]:
        with urlopen(f"{self._inbox}/messages?after={self._newest}{before}", timeout=_PATIENCE) as response:
            page: Mapping[str, Any] = json.load(response)
            return page

    def _visit(self) -> None:
        """Ask for what is due, over one connection. Where a link leads is not followed."""
        if not self._plan or self._plan[0].at > time.time():
            return
        connection = http.client.HTTPConnection(self._host, timeout=_PATIENCE)
        try:
            while self._plan and self._plan[0].at <= time.time() and not self._stopped.is_set():
                path = self._plan[0].path
                connection.request("GET", path, headers={"User-Agent": _BROWSER})
                connection.getresponse().read()
                self.clicks += path.startswith(_LINK)
                heappop(self._plan)
        finally:
            connection.close()
