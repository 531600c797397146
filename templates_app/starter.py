"""Sample templates for a first look; a product replaces them by its own."""

from typing import Final

from django.utils import timezone

from accounts.models import Category
from templates_app import publishing
from templates_app.content import RawContent
from templates_app.models import Template

_EMAIL_KO: Final = """\
<!doctype html>
<html lang="ko">
  <body style="margin:0;padding:24px;background:#f4f1ec;font-family:'Apple SD Gothic Neo','Noto Sans KR',sans-serif">
    <table role="presentation" width="100%" style="max-width:560px;margin:0 auto;background:#fff;border-radius:12px">
      <tr><td style="padding:32px">
        <h1 style="margin:0 0 16px;font-size:20px;color:#222">안녕하세요, {{ user_name }}님!</h1>
        <p style="margin:0;font-size:16px;line-height:1.6;color:#444">{{ product_name }}이 재입고되었습니다.</p>
      </td></tr>
    </table>
  </body>
</html>
"""
_EMAIL_EN: Final = (
    _EMAIL_KO.replace('lang="ko"', 'lang="en"')
    .replace("안녕하세요, {{ user_name }}님!", "Hello {{ user_name }}!")
    .replace("{{ product_name }}이 재입고되었습니다.", "{{ product_name }} is back in stock.")
)

_KO: Final = "안녕하세요, {{ user_name }}님! {{ product_name }}이 재입고되었습니다."
_EN: Final = "Hello {{ user_name }}! {{ product_name }} is back in stock."

RESTOCK: Final[RawContent] = {
    "push": {
        "ko": {"title": "재입고 알림", "body": _KO, "sound": "default"},
        "en": {"title": "Back in stock", "body": _EN, "sound": "default"},
    },
    "sms": {"ko": {"body": _KO}, "en": {"body": _EN}},
    "email": {
        "ko": {"subject": "{{ product_name }} 재입고 안내", "html": _EMAIL_KO, "text": _KO},
        "en": {"subject": "{{ product_name }} is back in stock", "html": _EMAIL_EN, "text": _EN},
    },
}


def install_starters() -> None:
    """Make and publish the sample templates that are not there yet."""
    category, _ = Category.objects.get_or_create(slug="restock-alerts", defaults={"name": "Restock alerts"})
    template, is_new = Template.objects.get_or_create(
        name="restock", defaults={"title": "Back in stock", "category": category, "default_locale": "ko"}
    )
    if is_new or not template.versions.exists():
        sample = {"user_name": "지민", "product_name": "겨울 신발"}
        publishing.publish(publishing.create_draft(template, publishing.Draft(RESTOCK, sample)), timezone.now())
