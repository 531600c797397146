"""On which terms a wire sends, whatever it is."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from notifications.providers.contract import Outgoing

#: Seconds in which a connection must stand.
CONNECT_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for everything that one wire sends.

    `ca_file` names the certificate authorities that are trusted. `protocols` is which kinds of HTTP may be spoken, as
    libcurl's bit mask. `timeout`, in seconds, is for what names none of its own. `private_hosts` may be named by
    requests that are `public_only`.
    """

    ca_file: str
    protocols: int
    timeout: float
    private_hosts: Collection[str] = ()

    def time_for(self, one: Outgoing) -> float:
        """The seconds that it may take."""
        return self.timeout if one.timeout is None else one.timeout
