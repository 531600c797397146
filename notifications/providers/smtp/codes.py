"""What mail servers reply, and what each reply means for the address, the message and the account.

A reply has a code of three digits (RFC 5321, section 4.2) and nearly always an enhanced one of three numbers (RFC 3463
and RFC 2034): its class, and a subject with a detail, which IANA registers (RFC 5248, "SMTP Enhanced Status Codes").
The enhanced code says more, so it is looked up first.
"""

from collections.abc import Mapping
from typing import Final

from notifications.providers.contract import (
    AddressDead,
    ContentBad,
    CredentialBad,
    NoFunds,
    Throttled,
    Transient,
    Verdict,
)

#: Subject and detail of a permanent refusal (5.x.x). What is not here is `ContentBad`: the server said for good that it
#: does not take this message, and nothing about the address.
PERMANENT: Final[Mapping[str, tuple[Verdict, str]]] = {
    # --- RFC 3463, section 3.2: the address
    "1.0": (ContentBad, "something about the address"),
    "1.1": (AddressDead, "there is no such mailbox"),
    "1.2": (AddressDead, "the domain takes no mail, or does not exist"),
    "1.3": (AddressDead, "not an address"),
    "1.4": (ContentBad, "the address fits several mailboxes"),
    "1.6": (AddressDead, "the mailbox has moved, and nobody says where to"),
    "1.7": (CredentialBad, "the sender is not an address"),
    "1.8": (CredentialBad, "the sender's domain takes no mail, or does not exist"),
    "1.9": (ContentBad, "it would have gone on to a system that says nothing more"),  # RFC 3886
    "1.10": (AddressDead, "the domain says that it takes no mail"),  # RFC 7505
    # --- RFC 3463, section 3.3: the mailbox
    "2.0": (ContentBad, "something about the mailbox"),
    "2.1": (AddressDead, "the mailbox is closed"),
    # "should be used as a persistent transient failure"; those who say it with a 5 mean the same
    "2.2": (Transient, "the mailbox is full"),
    "2.3": (ContentBad, "the message is too long for this mailbox"),
    "2.4": (ContentBad, "the mailing list cannot be resolved"),
    # --- RFC 3463, section 3.4: the mail system
    "3.0": (ContentBad, "something about the mail system"),
    "3.1": (Transient, "the mail system is full"),
    "3.2": (Transient, "the mail system takes nothing at the moment"),
    "3.3": (ContentBad, "the mail system lacks something that the message needs"),
    "3.4": (ContentBad, "the message is too big"),
    "3.5": (Transient, "the mail system is set up wrongly"),
    # --- RFC 3463, section 3.5: the way there
    "4.0": (ContentBad, "something about the way there"),
    "4.1": (ContentBad, "the next server does not answer, or lets nobody in"),
    "4.2": (Transient, "the connection to the next server broke"),
    "4.3": (Transient, "a directory does not answer"),
    "4.4": (ContentBad, "no way there is known"),
    # Congestion, which is no permanent failure; Gmail says it once the day's mails are used up
    # (support.google.com/a/answer/3726730).
    "4.5": (NoFunds, "the account's quota is used up"),
    "4.6": (ContentBad, "the message went in circles"),
    "4.7": (ContentBad, "the message is too old"),
    # --- RFC 3463, section 3.6, and RFC 4954: the protocol
    "5.0": (ContentBad, "something about the protocol"),
    "5.1": (ContentBad, "not a command"),
    "5.2": (ContentBad, "a command is malformed"),
    "5.3": (Throttled, "too many recipients"),
    "5.4": (ContentBad, "an argument is malformed"),
    "5.5": (ContentBad, "not this version of the protocol"),
    "5.6": (CredentialBad, "user name or password is too long"),
    # --- RFC 3463, section 3.7, RFC 4468 and RFC 6531: the content
    "6.0": (ContentBad, "something about the content"),
    "6.1": (ContentBad, "not a kind of content that is taken"),
    "6.2": (ContentBad, "the content would have to be converted, and may not be"),
    "6.3": (ContentBad, "the content would have to be converted, and cannot be"),
    "6.4": (ContentBad, "the content would lose by conversion"),
    "6.5": (ContentBad, "the content could not be converted"),
    "6.6": (ContentBad, "the content cannot be read"),
    "6.7": (ContentBad, "no addresses beyond ASCII are taken"),
    "6.8": (ContentBad, "the reply is not in UTF-8"),
    "6.9": (ContentBad, "headers beyond ASCII are not taken"),
    "6.10": (ContentBad, "an address beyond ASCII has no other form"),
    # --- RFC 3463, section 3.8: policy, which says nothing about the address
    "7.0": (ContentBad, "a policy refuses it"),
    "7.1": (ContentBad, "a policy refuses it"),
    "7.2": (ContentBad, "the mailing list takes nothing from us"),
    "7.3": (ContentBad, "it would have to be encrypted in another way"),
    "7.4": (CredentialBad, "a way of logging in, or of encryption, that the server does not know"),
    "7.5": (ContentBad, "a cryptographic failure"),
    "7.6": (ContentBad, "not a cryptographic method that is known"),
    "7.7": (ContentBad, "the content was changed on its way"),
    # --- RFC 4954 and RFC 5248: who we are
    "7.8": (CredentialBad, "user name or password is wrong"),
    "7.9": (CredentialBad, "the way of logging in is too weak"),
    "7.10": (CredentialBad, "encryption is needed"),
    "7.11": (CredentialBad, "encryption is needed to log in so"),
    "7.12": (CredentialBad, "the password must be changed first"),
    "7.13": (CredentialBad, "the user's account is closed"),
    "7.14": (CredentialBad, "the server does not trust us"),
    # --- RFC 6710: priorities
    "7.15": (ContentBad, "the message is not important enough"),
    "7.16": (ContentBad, "the message is too big for its importance"),
    # --- RFC 7293: the owner of a mailbox, for which we do not ask
    "7.17": (ContentBad, "the mailbox has another owner"),
    "7.18": (ContentBad, "the domain has another owner"),
    "7.19": (ContentBad, "nobody knows whether the mailbox has another owner"),
    # --- RFC 7372, RFC 7505, RFC 8617 and RFC 8689: whether we are who we say, which is a matter of set-up
    "7.20": (CredentialBad, "no DKIM signature is valid"),
    "7.21": (CredentialBad, "no DKIM signature is acceptable"),
    "7.22": (CredentialBad, "no DKIM signature is the author's"),
    "7.23": (CredentialBad, "SPF does not allow this server"),
    "7.24": (CredentialBad, "SPF cannot be read"),
    "7.25": (CredentialBad, "the server's address has no name"),
    "7.26": (CredentialBad, "several checks of the sender failed"),
    "7.27": (CredentialBad, "the sender's domain says that it takes no mail"),
    "7.28": (Throttled, "too many mails like this one"),  # IANA: "mail flood detected"
    "7.29": (ContentBad, "the chain of those who passed it on is broken"),
    "7.30": (ContentBad, "it may only go on over TLS"),
}

#: Subject and detail of a refusal for now (4.x.x). What is not here is `Transient`, such as greylisting (4.7.1), a full
#: mailbox (4.2.2), or a mailbox that gets too much (4.2.1).
PASSING: Final[Mapping[str, tuple[Verdict, str]]] = {
    "3.1": (Throttled, "the mail system is full"),
    "4.5": (Throttled, "the server is busy"),
    "5.3": (Throttled, "too many recipients"),
    "7.12": (CredentialBad, "the password must be changed first"),  # RFC 4954
    "7.28": (Throttled, "too many mails like this one"),
}

#: Where no enhanced code is said, or none that is known.
CODES: Final[Mapping[int, tuple[Verdict, str]]] = {
    # --- RFC 5321, section 4.2.3
    421: (Transient, "the server closes the connection"),
    450: (Transient, "the mailbox is not available now"),
    451: (Transient, "an error at the server"),
    452: (Throttled, "the server lacks room, or has had enough for now"),
    455: (Transient, "the server cannot do what was asked for now"),
    500: (ContentBad, "not a command"),
    501: (ContentBad, "an argument is malformed"),
    502: (ContentBad, "not a command that is known here"),
    503: (ContentBad, "not a command for this moment"),
    504: (ContentBad, "not an argument that is known here"),
    # said of mailboxes that are not there, and of policies: which, only an enhanced code says
    550: (ContentBad, "the mailbox is not available, or a policy refuses it"),
    551: (ContentBad, "the mailbox is elsewhere"),
    552: (Transient, "the mailbox is full"),
    553: (ContentBad, "not a name of a mailbox"),
    554: (ContentBad, "refused"),
    555: (ContentBad, "not a parameter that is known here"),
    # --- RFC 4954, section 6, and RFC 3207, section 4
    432: (CredentialBad, "the password must be changed first"),
    454: (Transient, "logging in, or TLS, is not possible now"),
    530: (CredentialBad, "logging in is needed"),
    534: (CredentialBad, "the way of logging in is too weak"),
    535: (CredentialBad, "user name or password is wrong"),
    538: (CredentialBad, "encryption is needed to log in so"),
    # --- RFC 7504
    521: (CredentialBad, "the host takes no mail"),
    556: (AddressDead, "the domain takes no mail"),
}
