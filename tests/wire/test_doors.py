"""The wire at doors as strict as the real ones: it keeps to their limits, and loses nothing when they close."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import h2.config
import h2.connection
import h2.events
import msgspec
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from notifications.providers.contract import Exchange, NotSent, Request, Response
from notifications.wire.wire import Wire
from sandbox.doors import APNS, Door
from sandbox.within import Told
from tests.sandbox.world import Ask, Running, eventually
from tests.wire.server import certificate


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("doors"), "--doors")
    yield running
    running.stop()


@pytest.fixture
def doors(_running: Running) -> Running:
    """A sandbox with doors, quiet and without memory."""
    _running.admin("DELETE", "record")
    _running.admin("DELETE", "faults")
    return _running


@pytest.fixture
def wire(doors: Running) -> Iterator[Wire]:
    made = Wire(ca_file=doors.state["ca_file"])
    yield made
    made.close()
    eventually(lambda: not any(seen["open"] for seen in seen_at(doors).values()))


def seen_at(doors: Running) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = doors.admin("GET", "doors").json()
    return found


def through(doors: Running, name: str, ask: Ask) -> Request:
    """The same request, at the door."""
    url = ask.url.replace(doors.url, doors.state["doors"][name])
    return Request(ask.method, url, ask.headers, ask.body, ask.timeout)


def pushes(doors: Running, name: str, count: int) -> list[Request]:
    one = doors.fcm if name == "fcm" else lambda delivery_id: doors.apns(delivery_id=delivery_id)
    return [through(doors, name, one(str(uuid4()))) for _ in range(count)]


def statuses(answers: Iterable[tuple[int, Exchange]]) -> Counter[int | str]:
    return Counter(one.status if isinstance(one, Response) else type(one).__name__ for _, one in answers)


def accepted(doors: Running, name: str) -> tuple[int, int]:
    tally = doors.admin("GET", "counts").json()["providers"].get(name, {"accepted": 0, "accepted_again": 0})
    return tally["accepted"], tally["accepted_again"]


# --- limits --------------------------------------------------------------------------------------------
def test_no_connection_to_fcm_has_more_than_100_streams(doors: Running, wire: Wire) -> None:
    before = seen_at(doors)["fcm"]
    doors.admin("PUT", "faults/fcm", {"latency_ms": 100})

    assert statuses(wire.exchange(pushes(doors, "fcm", 1500))) == {200: 1500}

    seen = seen_at(doors)["fcm"]
    assert accepted(doors, "fcm") == (1500, 0)
    assert seen["refused"] == before["refused"]
    assert seen["most"] == 100
    assert 3 <= seen["connections"] - before["connections"] <= 16


def test_apns_gets_one_stream_until_it_has_seen_a_valid_token(doors: Running, wire: Wire) -> None:
    doors.admin("PUT", "faults/apns", {"latency_ms": 100})
    before = seen_at(doors)["apns"]

    assert statuses(wire.exchange(pushes(doors, "apns", 1500))) == {200: 1500}

    seen = seen_at(doors)["apns"]
    assert accepted(doors, "apns") == (1500, 0)
    assert (seen["strange_most"], seen["refused"]) == (1, before["refused"])
    assert seen["most"] > 10


def test_without_a_valid_token_every_push_is_refused_and_none_is_in_doubt(doors: Running, wire: Wire) -> None:
    stranger = [
        through(doors, "apns", doors.apns(delivery_id=str(uuid4())).with_headers(authorization="bearer nonsense"))
        for _ in range(40)
    ]

    answers = dict(wire.exchange(stranger))

    assert all(
        isinstance(one, NotSent) or (isinstance(one, Response) and one.status == 403) for one in answers.values()
    )
    assert accepted(doors, "apns") == (0, 0)
    assert seen_at(doors)["apns"]["strange_most"] == 1


# --- closing -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["apns", "fcm"])
def test_when_a_door_closes_in_mid_flight_everything_arrives_once(doors: Running, wire: Wire, name: str) -> None:
    doors.admin("PUT", f"faults/{name}", {"latency_ms": 150})
    over = threading.Event()

    def close_again_and_again() -> None:
        while not over.wait(0.5):
            doors.admin("POST", f"doors/{name}/goaway")

    closing = threading.Thread(target=close_again_and_again)
    closing.start()
    try:
        found = statuses(wire.exchange(pushes(doors, name, 3000)))
    finally:
        over.set()
        closing.join()

    # one that meets a closing door three times in a row is given back, to be sent later: it was never looked at
    assert set(found) <= {200, "NotSent"}
    assert accepted(doors, name) == (found[200], 0)
    assert found[200] > 2900, found


def test_a_wire_that_was_silent_goes_on_as_if_nothing_had_been(doors: Running, wire: Wire) -> None:
    assert statuses(wire.exchange(pushes(doors, "apns", 5))) == {200: 5}
    assert doors.admin("POST", "doors/apns/goaway").json() == {"connections": 1}
    time.sleep(0.2)

    assert statuses(wire.exchange(pushes(doors, "apns", 5))) == {200: 5}
    assert accepted(doors, "apns") == (10, 0)


@pytest.mark.parametrize("name", ["apns", "fcm"])
def test_a_door_is_no_bottleneck(doors: Running, wire: Wire, name: str) -> None:
    began = time.monotonic()

    assert statuses(wire.exchange(pushes(doors, name, 2000))) == {200: 2000}

    assert 2000 / (time.monotonic() - began) > 150, "far below what a busy machine can"


# --- a client without manners --------------------------------------------------------------------------
class Rude:
    """Opens as many streams as it likes."""

    def __init__(self, doors: Running, name: str) -> None:
        self._doors, self._name = doors, name
        tls = ssl.create_default_context(cafile=doors.state["ca_file"])
        tls.set_alpn_protocols(["h2"])
        port = urlsplit(doors.state["doors"][name]).port
        assert port
        self._socket = tls.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost")
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._read: list[Any] = []
        self.until(h2.events.RemoteSettingsChanged)

    def until(self, kind: type, count: int = 1) -> list[Any]:
        """Read until so many events of a kind have come; all of them."""
        self._socket.settimeout(10)
        while len(found := [event for event in self._read if isinstance(event, kind)]) < count:
            self._socket.sendall(self._h2.data_to_send())
            data = self._socket.recv(65536)
            assert data, "the door hung up"
            self._read += self._h2.receive_data(data)
        self._socket.sendall(self._h2.data_to_send())
        return found

    def open_streams(self, count: int) -> list[int]:
        """Begin requests, whatever the door allows; their numbers."""
        self._h2.remote_settings.acknowledge()
        self._h2.remote_settings.max_concurrent_streams = 10_000
        self._h2.remote_settings.acknowledge()
        numbers = []
        for ask in pushes(self._doors, self._name, count):
            numbers.append(number := self._h2.get_next_available_stream_id())
            path = urlsplit(ask.url).path
            pseudo = [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
            self._h2.send_headers(number, [*pseudo, *ask.headers.items()])
            self._h2.send_data(number, ask.body, end_stream=True)
        self._socket.sendall(self._h2.data_to_send())
        return numbers

    @property
    def limit(self) -> int:
        """What the door said last."""
        said = [event.changed_settings for event in self._read if isinstance(event, h2.events.RemoteSettingsChanged)]
        limits = [
            one[SettingCodes.MAX_CONCURRENT_STREAMS].new_value
            for one in said
            if SettingCodes.MAX_CONCURRENT_STREAMS in one
        ]
        return int(limits[-1])

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize(("name", "limit"), [("apns", 1), ("fcm", 100)])
def test_a_stream_too_many_is_refused_unprocessed_and_the_others_are_served(
    doors: Running, name: str, limit: int
) -> None:
    doors.admin("PUT", f"faults/{name}", {"latency_ms": 300})
    client = Rude(doors, name)
    assert client.limit == limit

    numbers = client.open_streams(limit + 3)

    refused = client.until(h2.events.StreamReset, 3)
    assert {event.error_code for event in refused} == {ErrorCodes.REFUSED_STREAM}
    assert {event.stream_id for event in refused} == set(numbers[limit:])
    client.until(h2.events.StreamEnded, limit)
    assert accepted(doors, name) == (limit, 0)
    assert client.limit == (1000 if name == "apns" else 100)
    client.close()


@pytest.mark.parametrize(("name", "why"), [("apns", {"reason": "Shutdown"}), ("fcm", None)])
def test_a_closing_door_says_how_far_it_looked_and_apns_also_why(doors: Running, name: str, why: object) -> None:
    client = Rude(doors, name)
    (number,) = client.open_streams(1)
    client.until(h2.events.StreamEnded)

    doors.admin("POST", f"doors/{name}/goaway")

    (away,) = client.until(h2.events.ConnectionTerminated)
    assert (away.error_code, away.last_stream_id) == (ErrorCodes.NO_ERROR, number)
    assert (json.loads(away.additional_data) if away.additional_data else None) == why
    client.close()


def test_a_door_leads_to_its_own_service_only(doors: Running, wire: Wire) -> None:
    elsewhere = Request("GET", f"{doors.state['doors']['fcm']}/_sandbox/counts", {}, b"")

    answer = wire.exchange_one(elsewhere)

    assert isinstance(answer, Response)
    assert answer.status == 404


def test_only_a_door_that_is_there_can_close(doors: Running) -> None:
    assert doors.admin("POST", "doors/twilio/goaway").status == 404
    assert doors.admin("POST", "doors/apns/goaway", {"rason": "x"}).status == 422


def test_the_addresses_of_doors_stand_with_the_credentials(doors: Running) -> None:
    for name in ("apns", "fcm"):
        assert doors.credentials[name]["door_endpoint"] == f"{doors.state['doors'][name]}/{name}"


# --- silence -------------------------------------------------------------------------------------------
@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[tuple[str, Door]]:
    """A door that asks after a tenth of a second whether its client is there, and after another hangs up."""
    files = certificate(tmp_path)
    opened: list[tuple[str, Door]] = []
    servers: list[asyncio.Server] = []
    loop = asyncio.new_event_loop()

    async def answers(_head: Mapping[str, str], body: bytes) -> Told:
        return Told(200, [], body)

    async def open_door() -> None:
        door = Door(msgspec.structs.replace(APNS, patience=0.1), answers)
        server = await door.listen("127.0.0.1", 0, *files)
        servers.append(server)
        opened.append((f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", door))

    async def close_door() -> None:
        servers[0].close()
        for connection in list(opened[0][1]._connections):
            connection._transport.abort()
        await asyncio.sleep(0.05)

    loop.run_until_complete(open_door())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield opened[0]
    asyncio.run_coroutine_threadsafe(close_door(), loop).result(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_client_that_is_silent_is_asked_and_a_wire_that_was_cut_off_notices_before_it_sends(
    impatient: tuple[str, Door], tmp_path: Path
) -> None:
    url, door = impatient
    wire = Wire(ca_file=str(tmp_path / "server.pem"))
    request = Request("POST", url, {}, b"hello")
    assert isinstance(wire.exchange_one(request), Response)

    # a wire that nobody uses answers no ping
    eventually(lambda: door.seen.hung_up == 1)

    assert isinstance(wire.exchange_one(request), Response)
    assert (door.seen.connections, door.seen.pings) == (2, 1)
    wire.close()


def test_a_client_that_answers_pings_is_kept(impatient: tuple[str, Door], tmp_path: Path) -> None:
    url, door = impatient
    wire = Wire(ca_file=str(tmp_path / "server.pem"))
    ends_at = time.monotonic() + 0.6

    while time.monotonic() < ends_at:
        assert isinstance(wire.exchange_one(Request("POST", url, {}, b"hello")), Response)
        time.sleep(0.05)

    assert (door.seen.connections, door.seen.hung_up) == (1, 0)
    wire.close()
