"""The roles that people have in the admin, as groups. What a group was given by hand besides stays.

Backwards the groups are deleted, and who was in them is in none of them any more.
"""

from typing import Any, Final

from django.db import migrations

_VIEW: Final = ("view",)
_ALL: Final = ("view", "add", "change", "delete")

#: What everybody looks at who has to do with words.
_WORDS: Final = {
    "templates_app": {"template": _VIEW, "templateversion": _VIEW, "partial": _VIEW},
    "accounts": {"category": _VIEW, "cap": _VIEW},
}

#: Role, app, model: what is allowed. Frozen here; tests/config/test_roles.py holds the pages to it.
_ROLES: Final[dict[str, dict[str, dict[str, tuple[str, ...]]]]] = {
    "Template editor": {
        "accounts": _WORDS["accounts"],
        "templates_app": {
            "template": ("view", "add", "change"),
            "templateversion": (*_ALL, "submit", "publish"),
            "partial": ("view", "add", "change"),
        },
    },
    "Approver": {
        "accounts": _WORDS["accounts"],
        "templates_app": {
            "template": _VIEW,
            "templateversion": ("view", "approve", "publish", "rollback"),
            "partial": _VIEW,
        },
    },
    "Marketer": {**_WORDS, "notifications": {"notification": _VIEW}},
    "Operator": {
        "accounts": {
            "recipient": ("view", "see_addresses"),
            "device": ("view", "change"),
            "preference": _VIEW,
            "suppression": ("view", "add", "delete"),
            "refusal": _VIEW,
            "receivedreply": _VIEW,
            "consentchange": _VIEW,
            "category": _VIEW,
            "cap": _VIEW,
            "application": _VIEW,
            "appkey": _VIEW,
        },
        "templates_app": _WORDS["templates_app"],
        "notifications": {
            "batch": _VIEW,
            "deadletter": ("view", "replay"),
            "delivery": _VIEW,
            "notification": _VIEW,
            "provideraccount": ("view", "add", "change"),
            "route": _ALL,
            "routestep": _ALL,
            "smsprice": _ALL,
        },
    },
    "Support": {
        "accounts": {
            "recipient": _VIEW,
            "device": _VIEW,
            "preference": _VIEW,
            "suppression": _VIEW,
            "refusal": _VIEW,
            "receivedreply": _VIEW,
            "consentchange": _VIEW,
            "category": _VIEW,
        },
        "templates_app": _WORDS["templates_app"],
        "notifications": {"notification": _VIEW, "delivery": _VIEW, "deadletter": _VIEW},
    },
    "Administrator": {
        "accounts": {
            "application": _ALL,
            "appkey": _ALL,
            "auditentry": _VIEW,
            "cap": _ALL,
            "category": _ALL,
            "consentchange": _VIEW,
            "device": _ALL,
            "preference": _ALL,
            "receivedreply": _ALL,
            "recipient": (*_ALL, "see_addresses", "export"),
            "refusal": _ALL,
            "suppression": _ALL,
        },
        "auth": {"user": _ALL, "group": _ALL},
        "templates_app": {
            "template": (*_ALL, "route"),
            "templateversion": (*_ALL, "submit", "approve", "publish", "rollback"),
            "partial": _ALL,
        },
        "notifications": {
            "batch": _VIEW,
            "deadletter": ("view", "replay"),
            "delivery": _VIEW,
            "erasure": _VIEW,
            "notification": _VIEW,
            "provideraccount": _ALL,
            "route": _ALL,
            "routestep": _ALL,
            "smsprice": _ALL,
        },
        "django_celery_beat": dict.fromkeys(
            ("clockedschedule", "crontabschedule", "intervalschedule", "periodictask", "solarschedule"), _ALL
        ),
    },
}

#: Codenames that are not made of a verb and a model.
_WHOLE: Final = frozenset({"see_addresses"})


def make_roles(apps: Any, schema_editor: Any) -> None:
    """Permissions are made after all migrations; those that are needed are made here, as Django would."""
    database = schema_editor.connection.alias
    group = apps.get_model("auth", "Group").objects.using(database)
    for name, rights in _ROLES.items():
        role, _ = group.get_or_create(name=name)
        role.permissions.add(
            *(
                _permission(apps, database, (app, model), verb)
                for app, models in rights.items()
                for model, verbs in models.items()
                for verb in verbs
            )
        )


def _permission(apps: Any, database: str, where: tuple[str, str], verb: str) -> Any:
    app, model = where
    kind, _ = (
        apps.get_model("contenttypes", "ContentType").objects.using(database).get_or_create(app_label=app, model=model)
    )
    options = apps.get_model(app, model)._meta
    codename = verb if verb in _WHOLE else f"{verb}_{model}"
    usual = dict(options.permissions).get(codename, f"Can {verb} {options.verbose_name_raw}")
    permission, _ = (
        apps.get_model("auth", "Permission")
        .objects.using(database)
        .get_or_create(content_type=kind, codename=codename, defaults={"name": usual})
    )
    return permission


def remove_roles(apps: Any, schema_editor: Any) -> None:
    """The permissions stay: they are their models'."""
    apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias).filter(name__in=list(_ROLES)).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_audit_log"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("templates_app", "0005_versions_in_review"),
        ("notifications", "0018_events_of_digests"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="deadletter", options={"permissions": [("replay_deadletter", "Can try dead letters again")]}
        ),
        migrations.RunPython(make_roles, remove_roles),
    ]
