"""A new key for old credentials: add it first, reseal, remove the old one."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from notifications import resealing, vault
from notifications.models import ProviderAccount

pytestmark = pytest.mark.django_db

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def accounts(many: int, settings: Settings, key: str = OLD, name: str = "sms") -> None:
    settings.VAULT_KEYS = [key]
    for number in range(many):
        sealed = vault.seal({"auth_token": f"secret {number}"})
        ProviderAccount.objects.create(name=f"{name}-{number}", provider="twilio", credentials=sealed)


def opened() -> list[str]:
    rows = ProviderAccount.objects.order_by("pk")
    return [vault.unseal(row.credentials)["auth_token"] for row in rows]


def reseal(*options: str) -> str:
    out = StringIO()
    call_command("reseal", *options, stdout=out)
    return out.getvalue().strip()


def test_afterwards_the_old_key_is_not_needed(settings: Settings) -> None:
    accounts(5, settings)
    settings.VAULT_KEYS = [NEW, OLD]

    assert reseal("--batch", "2") == "5 resealed, 0 were sealed with the first key already."

    settings.VAULT_KEYS = [NEW]
    assert opened() == [f"secret {number}" for number in range(5)]
    settings.VAULT_KEYS = [OLD]
    with pytest.raises(vault.Sealed):
        opened()


def test_before_that_it_is(settings: Settings) -> None:
    accounts(1, settings)
    settings.VAULT_KEYS = [NEW]
    with pytest.raises(vault.Sealed):
        opened()


def test_a_second_run_changes_nothing(settings: Settings) -> None:
    accounts(3, settings)
    settings.VAULT_KEYS = [NEW, OLD]
    reseal()
    before = list(ProviderAccount.objects.order_by("pk").values_list("credentials", flat=True))

    assert reseal() == "0 resealed, 3 were sealed with the first key already."
    after = list(ProviderAccount.objects.order_by("pk").values_list("credentials", flat=True))
    assert [bytes(one) for one in before] == [bytes(one) for one in after]


def test_what_no_key_opens_is_named_and_left_and_the_others_are_done(settings: Settings) -> None:
    accounts(1, settings, LOST, "lost")
    accounts(2, settings)
    settings.VAULT_KEYS = [NEW, OLD]
    out = StringIO()

    with pytest.raises(CommandError, match=r"lost-0.*remove no key before"):
        call_command("reseal", stdout=out)

    assert "2 resealed" in out.getvalue()
    settings.VAULT_KEYS = [LOST]
    assert vault.unseal(ProviderAccount.objects.get(name="lost-0").credentials) == {"auth_token": "secret 0"}


def test_what_somebody_saves_meanwhile_stays(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts(1, settings)
    settings.VAULT_KEYS = [NEW, OLD]
    original = vault.reseal

    def overtaken(sealed: bytes) -> bytes:
        ProviderAccount.objects.update(credentials=vault.seal({"auth_token": "newer"}))
        return original(sealed)

    monkeypatch.setattr(vault, "reseal", overtaken)
    assert resealing.reseal_all(batch=10).resealed == 0
    assert opened() == ["newer"]


def test_accounts_without_credentials_have_nothing_to_reseal(settings: Settings) -> None:
    ProviderAccount.objects.create(name="empty", provider="twilio")
    assert reseal() == "0 resealed, 1 were sealed with the first key already."


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(CommandError, match="at least 1"):
        reseal("--batch", "0")
