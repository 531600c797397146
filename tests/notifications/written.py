"""Routes and second accounts for tests."""

from accounts.channels import Mode
from notifications.models import ProviderAccount, Route, RouteStep
from notifications.routes import routes


def active(*names: str) -> None:
    """Let these accounts send; one called "…-second" is made as its provider's live one is."""
    for name in names:
        if name.endswith("-second"):
            account = ProviderAccount.objects.get(name=name.replace("-second", "-live"))
            account.pk, account.name = ProviderAccount().pk, name
            account._state.adding = True
            account.save()
    ProviderAccount.objects.filter(name__in=names).update(is_active=True)
    routes.forget()


def route(
    channel: str, *steps: str | tuple[str, int, int], mode: Mode = Mode.LIVE, queue: str = "", prefix: str = ""
) -> Route:
    """A route by these accounts: one after the other, or each with its position and weight."""
    written = Route.objects.create(channel=channel, mode=mode.value, queue=queue, prefix=prefix)
    for place, step in enumerate(steps, start=1):
        name, position, weight = (step, place, 100) if isinstance(step, str) else step
        account = ProviderAccount.objects.get(name=name)
        RouteStep.objects.create(route=written, account=account, position=position, weight=weight)
    routes.forget()
    return written
