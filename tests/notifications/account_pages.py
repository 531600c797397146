"""What a person does with a provider account on its page, and what the page then says."""

import json
import re
from collections.abc import Mapping

from django.test import Client
from django.urls import reverse

from notifications import vault
from notifications.models import ProviderAccount
from tests.builders import shown


def named(name: str) -> ProviderAccount:
    return ProviderAccount.objects.get(name=name)


def address(tool: str, account: ProviderAccount) -> str:
    return reverse(f"admin:notifications_provideraccount_{tool}", args=[account.pk])


def told(browser: Client, tool: str, account: ProviderAccount, data: Mapping[str, str] | None = None) -> str:
    """What the page says after a tool was used."""
    answer = browser.post(address(tool, account), data or {}, follow=True)
    return "\n".join(re.findall(r'<li class="(?:success|warning|error)"[^>]*>.*?</li>', shown(answer), re.DOTALL))


def spoilt(account: ProviderAccount) -> ProviderAccount:
    """The same account with a secret that the service does not know."""
    credentials = vault.unseal(account.credentials)
    if account.provider == "apns":
        credentials["key_id"] = "WRONGKEYID"
    elif account.provider == "fcm":
        file = json.loads(credentials["service_account"])
        credentials["service_account"] = json.dumps({**file, "project_id": "another-project"})
    else:
        names = {"twilio": "auth_token", "vonage": "api_secret", "jpush": "master_secret", "smtp": "password"}
        wrong = {"sendgrid": "SG.wrong.wrong", "mandrill": "md-wrong", "jpush": "0" * 24, "pushy": "0" * 64}
        credentials[names.get(account.provider, "api_key")] = wrong.get(account.provider, "wrong000")
    account.credentials = vault.seal(credentials)
    account.save(update_fields=["credentials"])
    return account
