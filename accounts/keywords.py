"""The words by which people stop and start text messages, in the languages of the countries that we write to.

Each is kept as `folded` writes it: without accents, capitals, spaces and signs. Free of Django.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import phonenumbers

#: Understood from every number: carriers everywhere know the English words, and our own senders print the Korean ones.
_EVERYWHERE: Final = ("en", "ko")

#: Which other languages keywords come in, by ISO 3166-1 country.
_SPOKEN_IN: Final[Mapping[str, str]] = {
    "ar": "AE BH DZ EG IQ JO KW LB LY MA OM QA SA SD SY TN YE",
    "de": "AT BE CH DE LI LU",
    "es": "AR BO CL CO CR CU DO EC ES GT HN MX NI PA PE PR PY SV US UY VE",
    "fr": "BE BF BJ CA CD CH CI CM DZ FR GA GN GP LU MA MC MG ML MQ NE RE SN TG TN",
    "id": "ID",
    "it": "CH IT SM VA",
    "ja": "JP",
    "ms": "BN MY SG",
    "nl": "BE NL SR",
    "pl": "PL",
    "pt": "AO BR CV MZ PT",
    "ru": "BY KG KZ RU UA",
    "th": "TH",
    "tr": "CY TR",
    "vi": "VN",
    "zh": "CN HK MO MY SG TW",
}  # fmt: skip

#: English: what Twilio blocks a number for (help.twilio.com, "Twilio support for opt-out keywords"), among which are
#: all that US carriers must honour (47 CFR 64.1200(a)(10)). French has ARRET, which Canadian carriers require. Chinese
#: has the letters that senders in China print under each advertisement (回T退订, 拒收请回复R), and Vietnamese the TC of
#: its decree on unwanted messages (91/2020/ND-CP). The others are the imperatives that senders there print.
_STOP: Final[Mapping[str, str]] = {
    "ar": "إيقاف توقف قف إلغاء الغاء",
    "de": "abmelden abbestellen abbrechen beenden stopp",
    "en": "stop stopall unsubscribe cancel end quit revoke optout",
    "es": "alto parar pare baja cancelar detener salir",
    "fr": "arret arreter arretez desabonner desinscrire annuler",
    "id": "berhenti batal",
    "it": "ferma arresta annulla cancella disiscrivi",
    "ja": "停止 配信停止 解除 配信解除 ストップ",
    "ko": "수신거부 무료수신거부 수신거절 수신중단 수신중지 거부 거절 중단 중지 정지 해지 그만 스톱 스탑",
    "ms": "berhenti batal",
    "nl": "stoppen afmelden opzeggen uit",
    "pl": "rezygnuje koniec zatrzymaj wypisz",
    "pt": "parar pare sair cancelar remover",
    "ru": "стоп отписаться отписка отмена",
    "th": "หยุด ยกเลิก",
    "tr": "ret iptal dur",
    "vi": "huy dung tc tuchoi",
    "zh": "t td n r 退订 退訂 拒收 取消订阅 取消訂閱 停止",
}  # fmt: skip
#: YES is left out, though Twilio takes it for START: it is also an answer to any other question.
_START: Final[Mapping[str, str]] = {
    "ar": "ابدأ اشتراك تفعيل",
    "de": "anmelden starten",
    "en": "start unstop subscribe optin",
    "es": "alta iniciar comenzar suscribir",
    "fr": "commencer reprendre abonner",
    "id": "mulai",
    "it": "inizia iscrivi",
    "ja": "開始 再開 配信再開 スタート",
    "ko": "수신동의 수신허용 수신재개 수신거부해제 수신거부취소 거부해제 동의 시작 재개 스타트",
    "ms": "mula",
    "nl": "aanmelden",
    "pl": "wznow zapisz",
    "pt": "iniciar comecar voltar",
    "ru": "старт подписаться возобновить",
    "th": "เริ่ม",
    "tr": "basla",
    "vi": "batdau",
    "zh": "订阅 訂閱 恢复 恢復",
}  # fmt: skip


def folded(text: str) -> str:
    """`text` as keywords are compared: "Arrêt !" is arret, "수신 거부" is 수신거부, in whatever form of Unicode."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if sign.isalnum()))


def _by_language(words: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    return {language: frozenset(map(folded, some.split())) for language, some in words.items()}


#: The keywords by language (ISO 639-1).
STOP: Final = _by_language(_STOP)
START: Final = _by_language(_START)


def spoken_at(numbers: Iterable[str]) -> frozenset[str]:
    """The languages whose keywords are understood between these numbers, in E.164; what is none says nothing."""
    return frozenset(_EVERYWHERE).union(*(_languages_of(_country(number)) for number in numbers))


def _languages_of(country: str) -> frozenset[str]:
    return frozenset(language for language, countries in _SPOKEN_IN.items() if country in countries.split())


@lru_cache(maxsize=1024)
def _country(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
