"""The sandbox as one application: providers below their names, `/_sandbox/` for operators, the inbox for people."""

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import Final

from sandbox.admin import Admin
from sandbox.exchange import Answer, Call, Caller, Gate, Keeper, Simulator
from sandbox.faults import Fault, Mode
from sandbox.inbox import Inbox
from sandbox.keys import Keys
from sandbox.mail import MailServer
from sandbox.providers.apns import Apns
from sandbox.providers.fcm import Fcm
from sandbox.providers.jpush import Jpush
from sandbox.providers.mandrill import Mandrill
from sandbox.providers.pushy import Pushy
from sandbox.providers.sendgrid import SendGrid
from sandbox.providers.smtp import Smtp
from sandbox.providers.twilio import Twilio
from sandbox.providers.vonage import Vonage
from sandbox.providers.webpush import WebPush
from sandbox.receipts import Receipts, Settings
from sandbox.record import Record
from sandbox.ticks import Ticks
from sandbox.wires import Exchange, Scope

#: How long a request without an answer is held, in seconds; the client hangs up long before.
_HELD: Final = 600.0


class Sandbox:
    """Everything the sandbox knows, in memory, and the application that serves it on every port."""

    def __init__(self, keys: Keys, urls: list[str], settings: Settings, *, keep: int = 5000) -> None:
        twilio, sendgrid, mandrill, vonage = Twilio(keys), SendGrid(keys), Mandrill(keys), Vonage(keys)
        smtp = Smtp(keys)
        jpush = Jpush(keys)
        webpush = WebPush(keys, urls)
        self.simulators: dict[str, Simulator] = {
            "apns": Apns(keys),
            "fcm": Fcm(keys, frozenset(f"{url}/fcm/token" for url in urls)),
            "jpush": jpush,
            "pushy": Pushy(keys),
            "twilio": twilio,
            "sendgrid": sendgrid,
            "mandrill": mandrill,
            "vonage": vonage,
            "smtp": smtp,
            "webpush": webpush,
        }
        self.record = Record(keep)
        self.faults: dict[str, Fault] = {}
        self._ticks = Ticks()
        #: Speaks SMTP, on ports of its own.
        self.mail = MailServer(smtp, partial(self._decided, smtp), partial(self.record.add, "smtp"))
        callers: dict[str, Caller] = {"twilio": twilio, "sendgrid": sendgrid, "mandrill": mandrill, "vonage": vonage}
        self._keepers: dict[str, Keeper] = {"jpush": jpush}
        self.receipts = Receipts(callers, {"twilio": twilio, "vonage": vonage}, settings)
        self._inbox = Inbox(self.record, self.simulators)
        self._admin = Admin(self.record, self.faults, self.receipts, tuple(self.simulators), webpush.subscription)

    @property
    def doors(self) -> dict[str, Gate]:
        """Front doors, by the provider's name, for whoever opens some."""
        return self._admin.doors

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Answer one request."""
        name, _, rest = scope.path[1:].partition("/")
        simulator = self.simulators.get(name)
        if simulator is not None and name != "smtp":
            body, at = await exchange(), time.time()
            call = Call(scope.method, "/" + rest, scope.headers, body, at, scope.http_version, scope.query_string)
            await self._answer(simulator, call, exchange)
        elif name == "_sandbox":
            await self._admin.answer(rest, scope, exchange)
        else:
            await self._inbox.answer(scope, exchange)

    async def _decided(self, simulator: Simulator, call: Call) -> tuple[Answer, Mode | None]:
        """What a call is answered, and in which other way it fails; both are noted down."""
        fault = self.faults.get(simulator.name)
        if fault is not None:
            delay = fault.delay()
            if delay:
                await self._ticks.sleep(delay)
        # from here to the record nobody else gets a turn: of two requests that are the same, one comes first
        answer = simulator.answer(call)
        strikes = fault.strikes() if fault else None
        if fault is not None and strikes is not None:
            answer = _struck(simulator, fault, strikes, answer)
        self.record.add(simulator.name, call, answer)
        if answer.messages and not answer.refused:
            self.receipts.plan(simulator.name, call, answer)
            if keeper := self._keepers.get(simulator.name):
                keeper.keep(call, answer)
        return answer, strikes

    async def _answer(self, simulator: Simulator, call: Call, exchange: Exchange) -> None:
        answer, strikes = await self._decided(simulator, call)
        match strikes:
            case Mode.TIMEOUT:
                await _hold(exchange)
            case Mode.RESET | Mode.RESET_AFTER_BODY:
                _abort(exchange)
            case _ if answer.body:
                exchange.response_bytes(answer.status, list(answer.headers), answer.body)
            case _:
                exchange.response_empty(answer.status, list(answer.headers))


def _struck(simulator: Simulator, fault: Fault, mode: Mode, answer: Answer) -> Answer:
    """What an answer turns into; a request that would have been refused anyway still is."""
    if mode is Mode.RESET_AFTER_BODY:
        return answer
    if mode is Mode.STATUS and fault.status is not None:
        failure = simulator.fault(fault.status, fault.reason, fault.retry_after)
        return Answer(failure.status, failure.headers, failure.body, answer.messages, failure.refused)
    return Answer(0, (), b"", answer.messages, mode.value)


async def _hold(exchange: Exchange) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(exchange.client_disconnect(), _HELD)
    _abort(exchange)


def _abort(exchange: Exchange) -> None:
    """Promise a byte and give none: the server then resets the HTTP/2 stream, and no status is ever seen.

    RSGI has no way to close the connection below; other streams on it go on.
    """
    exchange.response_stream(200, [("content-length", "1")])
