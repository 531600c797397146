"""Who leaves when, of those of a run that is throttled and by everybody's own clock: seats that are given out once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from campaigns.models import Campaign, Run
from campaigns.schedules import Pace, Seats, Wish, seated

#: Clocks of machines differ by less: seats before that are asked for by nobody.
_LEEWAY: Final = timedelta(minutes=1)


def given(campaign: Campaign, planned_for: datetime, wishes: Sequence[Wish], at: datetime) -> list[datetime]:
    """When each of some people leaves, in the order of their wishes; nobody else of the run gets their seats.

    What is taken stands in the run's row, which is locked meanwhile, and is kept before anything is planned by it: so
    no worker waits while another plans. Where one dies after that, its seats stay empty.
    """
    if not wishes:
        return []
    assert campaign.throttle_per_minute is not None
    pace = Pace(planned_for, campaign.throttle_per_minute)
    with transaction.atomic():
        run = Run.objects.select_for_update().only("seats").get(campaign=campaign, planned_for=planned_for)
        seats = Seats(run.seats)
        seats.forget(pace.seat_from(at - _LEEWAY))
        found = [seated(wish, pace, seats) for wish in wishes]
        Run.objects.filter(pk=run.pk).update(seats=seats.taken)
    return found
