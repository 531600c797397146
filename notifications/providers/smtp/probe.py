"""Whether a mail server lets an account in: it logs in and names its sender, and no recipient."""

from typing import ClassVar

from notifications.providers.contract import Accepted, Account, CredentialBad, Envelope, Response, Token
from notifications.providers.probing import Judgement, Standing
from notifications.providers.smtp.send import Smtp, sender_of


class SmtpProbe:
    """MAIL without RCPT (RFC 5321, section 3.3). What the server would say of a recipient only a message shows."""

    renews_token: ClassVar[bool] = False

    def probe(self, account: Account, _token: Token | None) -> Envelope:
        """A login, and the sender."""
        sender = sender_of(account)
        return Envelope(
            url=account.endpoint,
            hello=sender.hello,
            username=account.credentials.get("username", ""),
            password=account.credentials.get("password", ""),
            sender=sender.bounces_to,
            recipient="",
            content=b"",
        )

    def judge(self, response: Response) -> Judgement:
        """What a refusal means is the adapter's to say."""
        outcome = Smtp().interpret(response)
        match outcome:
            case Accepted():
                return Judgement(Standing.WORKS, "The server lets the account in, and takes mail from its sender.")
            case CredentialBad(detail=detail):
                return Judgement(Standing.REFUSED, f"The server refuses the account: {detail}.")
            case _:
                return Judgement(Standing.UNCLEAR, f"The server answered {response.status}.")
