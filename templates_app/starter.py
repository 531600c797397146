"""Starter templates: ten real ones in Korean and English on every channel, kept as files in starters/."""

from pathlib import Path
from typing import Final

from django.utils import timezone

from templates_app.files import pushing
from templates_app.files.pushing import Wish
from templates_app.models import Template

STARTERS: Final = Path(__file__).parent / "starters"


def install_starters() -> None:
    """Make and publish the starter templates, once: what people made of them since is theirs."""
    names = [folder.parent.name for folder in STARTERS.glob("*/template.json")]
    if Template.objects.filter(name__in=names, versions__isnull=False).distinct().count() < len(names):
        pushing.push(STARTERS, Wish(timezone.now(), publish=True, only_new=True))
