from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and applications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db import connection  # noqa: PLC0415 - loads the backend, which registers its own reader of uuids

        from accounts.ids import read_as_ids  # noqa: PLC0415

        assert connection.vendor == "postgresql"
        read_as_ids()
