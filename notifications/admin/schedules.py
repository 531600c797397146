"""Tasks that run by the clock: django-celery-beat's own pages, as the theme dresses them."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django_celery_beat import admin as plain
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from accounts.admin.bases import ModelAdmin

if TYPE_CHECKING:
    from django.forms import Select as ThemedSelect
    from django.forms import TextInput as ThemedText
else:
    from unfold.widgets import UnfoldAdminSelectWidget as ThemedSelect
    from unfold.widgets import UnfoldAdminTextInputWidget as ThemedText

for _model in (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule):
    admin.site.unregister(_model)


class TaskSelect(plain.TaskSelectWidget, ThemedSelect):  # type: ignore[misc] # neither says anything of its types
    """The names of the tasks that there are, in the theme's list."""


class PeriodicTaskForm(plain.PeriodicTaskForm):  # type: ignore[misc]
    """A task by its name, of which there is a list."""

    regtask = plain.TaskChoiceField(label="Task (registered)", required=False, widget=TaskSelect)
    task = forms.CharField(label="Task (custom)", required=False, max_length=200, widget=ThemedText)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(plain.PeriodicTaskAdmin, ModelAdmin[PeriodicTask]):  # type: ignore[misc]
    """What runs, and when."""

    form = PeriodicTaskForm


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(plain.IntervalScheduleAdmin, ModelAdmin[IntervalSchedule]):  # type: ignore[misc]
    """Every so many seconds, minutes, hours or days."""


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(plain.CrontabScheduleAdmin, ModelAdmin[CrontabSchedule]):  # type: ignore[misc]
    """By minute, hour and day."""


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(plain.ClockedScheduleAdmin, ModelAdmin[ClockedSchedule]):  # type: ignore[misc]
    """At one moment."""


@admin.register(SolarSchedule)
class SolarScheduleAdmin(plain.SolarScheduleAdmin, ModelAdmin[SolarSchedule]):  # type: ignore[misc]
    """By the sun."""
