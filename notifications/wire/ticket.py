"""One thing that is to be sent, on its way through the wire."""

from collections import deque

from notifications.providers.contract import Exchange, Outgoing


class Ticket:
    """What is sent, its position among the others, and what became of it; None as long as that is not known.

    `sink` is where whoever waits for it looks.
    """

    __slots__ = ("exchange", "outgoing", "position", "sink")

    def __init__(self, position: int, outgoing: Outgoing, sink: deque["Ticket"]) -> None:
        self.position = position
        self.outgoing = outgoing
        self.sink = sink
        self.exchange: Exchange | None = None

    def settle(self, exchange: Exchange) -> None:
        """Say what became of it."""
        self.exchange = exchange
        self.sink.append(self)
