"""What the roles may do with campaigns. Backwards the rights are taken back; the groups stay."""

from importlib import import_module
from typing import Any, Final

from django.db import migrations

_VIEW: Final = ("view",)
_ALL: Final = ("view", "add", "change", "delete")

#: Role, model: what is allowed. Frozen here; tests/config/test_roles.py holds the pages to it.
_ROLES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "Marketer": {"segment": _ALL, "campaign": (*_ALL, "start"), "run": _VIEW},
    "Approver": {"segment": _VIEW, "campaign": ("view", "approve"), "run": _VIEW},
    "Operator": {"segment": _VIEW, "campaign": ("view", "start"), "run": _VIEW},
    "Support": {"segment": _VIEW, "campaign": _VIEW, "run": _VIEW},
    "Administrator": {"segment": _ALL, "campaign": (*_ALL, "start", "approve"), "run": _VIEW},
}


def give_rights(apps: Any, schema_editor: Any) -> None:
    """Permissions are made after all migrations; those that are needed are made here, as Django would."""
    _each(apps, schema_editor, "add")


def take_rights(apps: Any, schema_editor: Any) -> None:
    """The permissions stay: they are their models'."""
    _each(apps, schema_editor, "remove")


def _each(apps: Any, schema_editor: Any, change: str) -> None:
    permission = import_module("notifications.migrations.0019_roles")._permission  # noqa: SLF001 - as frozen as this
    database = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(database)
    for name, rights in _ROLES.items():
        role = group.filter(name=name).first()
        if role is None:
            continue
        for model, verbs in rights.items():
            found = [permission(apps, database, ("campaigns", model), verb) for verb in verbs]
            getattr(role.permissions, change)(*found)


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0001_initial"),
        ("notifications", "0022_turnouts_and_reactions"),
    ]

    operations = [migrations.RunPython(give_rights, take_rights)]
