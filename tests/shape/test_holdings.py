"""Whatever says something of people is erased and exported with them; a table that is forgotten fails here."""

from itertools import chain

from django.apps import apps
from django.db.models import Field, Model

from notifications.ledger import holdings

#: Names of columns that say something of a person, or lead to one.
PERSONAL = {"recipient", "device", "delivery", "phone", "email", "address", "external_id", "answer", "who", "contact"}
OURS = {"accounts", "templates_app", "notifications", "campaigns", "tracking"}


def looks_personal(field: "Field[object, object]") -> bool:
    name = field.name.removesuffix("_ids").removesuffix("_id")
    return name in PERSONAL or bool(PERSONAL & set(field.name.split("_")))


def personal() -> dict[str, type[Model]]:
    """The models with such a column."""
    found = {}
    for model in apps.get_models():
        if model._meta.app_label in OURS and any(map(looks_personal, model._meta.concrete_fields)):
            found[model.__name__] = model
    return found


def test_every_table_with_something_of_a_person_says_what_becomes_of_it() -> None:
    registered = {holding.model.__name__ for holding in chain(holdings.at_once(), holdings.bit_by_bit())}
    spoken_for = registered | set(holdings.WITH_DELIVERIES) | set(holdings.IMPERSONAL)

    assert personal().keys() - spoken_for == set(), "add a Holding, or say in IMPERSONAL why it says nothing of anybody"


def test_nothing_is_called_impersonal_that_is_gone_or_registered() -> None:
    known = {model.__name__ for model in apps.get_models()}
    registered = {holding.model.__name__ for holding in chain(holdings.at_once(), holdings.bit_by_bit())}

    assert set(holdings.IMPERSONAL) | set(holdings.WITH_DELIVERIES) <= known
    assert not registered & set(holdings.IMPERSONAL)


def test_names_in_an_export_are_one_a_table() -> None:
    by_name: dict[str, set[str]] = {}
    for holding in chain(holdings.at_once(), holdings.bit_by_bit()):
        by_name.setdefault(holding.name, set()).add(holding.model.__name__)

    assert all(len(models) == 1 for models in by_name.values())
