"""Every setting: its environment name, a default that works, and one line on what it changes."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import django_stubs_ext
from environs import Env

from accounts.channels import Channel
from config import addresses, brokers, embedded, secrets
from config.logging import logging_config
from config.theme import UNFOLD  # noqa: F401 - a setting
from notifications.liveness import STALL

# Lets Django's own classes be written with the type they work on, as in ModelAdmin[Delivery].
django_stubs_ext.monkeypatch()

env = Env()
BASE_DIR: Final = Path(__file__).resolve().parent.parent

# --- where the parts are -----------------------------------------------------------------------------
#: Folder of the embedded servers, their sockets, and the generated development secrets.
RUN_DIR: Final = Path(env.str("BONGSU_RUN_DIR", "") or BASE_DIR / ".run")
_services = embedded.urls(RUN_DIR)

#: PostgreSQL 15 or newer; unset: the embedded one.
DATABASE_URL: Final = env.str("DATABASE_URL", "") or _services.database_url
DATABASES = {"default": addresses.django_database(DATABASE_URL)}
#: Seconds a web process keeps its database connection between requests.
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 300)
#: Whether it is tried before each request, so that a database that was started anew costs nobody an error.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = env.bool("CONN_HEALTH_CHECKS", True)

#: Redis for the cache, rate limits and shared tokens; unset: the embedded one.
REDIS_URL: Final = env.str("REDIS_URL", "") or _services.redis_url
CACHES = {
    "default": {"BACKEND": "config.cache.RedisCache", "LOCATION": REDIS_URL},
    "counters": {"BACKEND": "config.cache.CounterCache", "LOCATION": REDIS_URL},
}
RATELIMIT_USE_CACHE = "counters"

#: Where Celery's messages wait; unset: the same Redis. An amqp:// URL makes it RabbitMQ.
CELERY_BROKER_URL: Final = env.str("CELERY_BROKER_URL", "") or addresses.broker_url(REDIS_URL)

#: How the outside reaches this platform: in webhook addresses and links.
PUBLIC_URL: Final = env.str("PUBLIC_URL", "http://localhost:8000").rstrip("/")

#: File of certificate authorities for calls to providers, beside a sandbox; unset: the system's.
WIRE_CA_FILE: Final = env.str("WIRE_CA_FILE", "")
#: Hosts, comma-separated, that browsers' push subscriptions may name though they are not out on the internet, such as
#: localhost beside a sandbox. In production none: people choose these addresses.
WIRE_PRIVATE_HOSTS: Final[frozenset[str]] = frozenset(env.list("WIRE_PRIVATE_HOSTS", []))
#: Whether a live account's endpoint may lie in a network of one's own; unset: only beside a sandbox.
PRIVATE_ENDPOINTS: Final = env.bool("PRIVATE_ENDPOINTS", bool(WIRE_CA_FILE))

# --- security ----------------------------------------------------------------------------------------
#: Shows details of errors in the browser. Never in production.
DEBUG = env.bool("DEBUG", False)
#: Signs sessions and links; unset: made once and kept in RUN_DIR.
SECRET_KEY: Final = env.str("SECRET_KEY", "") or secrets.kept(RUN_DIR / "secret_key", secrets.new_secret)
#: Keys of before, comma-separated, whose links and sessions are still good. Links in messages never expire: keep them.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
#: Fernet keys, comma-separated, that encrypt provider credentials; the first encrypts, all decrypt.
VAULT_KEYS: Final = env.list("VAULT_KEYS", []) or [secrets.kept(RUN_DIR / "vault_key", secrets.new_vault_key)]
#: Lets addresses be known again whose owners were erased, so that a STOP outlasts its owner. Never to be changed.
ERASURE_KEY: Final = env.str("ERASURE_KEY", "") or secrets.kept(RUN_DIR / "erasure_key", secrets.new_secret)
#: Host names that requests may name.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
#: Origins, with scheme, that may post forms to the admin.
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [PUBLIC_URL])
#: True behind a proxy that ends TLS and sets X-Forwarded-Proto.
BEHIND_TLS_PROXY: Final = env.bool("BEHIND_TLS_PROXY", False)
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = BEHIND_TLS_PROXY
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000 if BEHIND_TLS_PROXY else 0)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- limits ------------------------------------------------------------------------------------------
#: The largest request body, in bytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("MAX_BODY_BYTES", 1_048_576)
#: Seconds a worker may hold a batch before others may take what it left; more than twice PROVIDER_SECONDS.
LEASE_SECONDS: Final = env.int("LEASE_SECONDS", 60)
#: Seconds that a provider may take to answer.
PROVIDER_SECONDS: Final = env.float("PROVIDER_SECONDS", 10.0)
#: Seconds without progress after which a worker is held to be stuck, and is started anew.
STALL_SECONDS: Final = env.float("STALL_SECONDS", STALL)
#: The time zone of people of whom neither zone nor country is known, for quiet hours.
USUAL_TIME_ZONE: Final = env.str("USUAL_TIME_ZONE", "Asia/Seoul")
#: What one push and one email cost, where that is not nothing, in the currency of the price lists of text messages:
#: for categories that send by the cheapest channel.
PUSH_PRICE: Final = env.decimal("PUSH_PRICE", Decimal(0))
EMAIL_PRICE: Final = env.decimal("EMAIL_PRICE", Decimal(0))
PRICE_CURRENCY: Final = env.str("PRICE_CURRENCY", "USD")
#: Attempts of one delivery before it becomes a dead letter.
MAX_ATTEMPTS: Final = env.int("MAX_ATTEMPTS", 8)
#: Days of log partitions that are made ahead, and kept.
PARTITION_DAYS_AHEAD: Final = env.int("PARTITION_DAYS_AHEAD", 7)
RETENTION_DAYS: Final = env.int("RETENTION_DAYS", 90)
#: Hours that a provider may take to say whether a message arrived. Carriers give up after three days at most.
RECEIPT_HOURS: Final = env.int("RECEIPT_HOURS", 72)
#: Soft bounces of an email address within so many days, with nothing delivered between, that suppress it; 0: never.
SOFT_BOUNCES: Final = env.int("SOFT_BOUNCES", 5)
SOFT_BOUNCE_DAYS: Final = env.int("SOFT_BOUNCE_DAYS", 30)
#: Days without a word from an app after which its device is shown as stale. Google says: over a month.
DEVICE_STALE_DAYS: Final = env.int("DEVICE_STALE_DAYS", 30)
#: Hours that the first answer to an idempotency key is kept.
IDEMPOTENCY_HOURS: Final = env.int("IDEMPOTENCY_HOURS", 72)

#: What the apps above the log hold on people, each as a list: what an erasure takes, and an export tells.
HOLDINGS: Final = ("tracking.holdings.HELD", "campaigns.holdings.HELD")

# --- Django ------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # the theme's own configuration would put its site in the place of ours
    "unfold.apps.BasicAppConfig",
    "config.site.BongsuAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "accounts",
    "templates_app",
    "notifications",
    "campaigns",
    "tracking",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.shortcut.Shortcut",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.logging.RequestLog",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
#: What stands at the top of every page of the admin, such as staging; red where it begins with prod or live.
ENVIRONMENT_LABEL: Final = env.str("ENVIRONMENT_LABEL", "")
#: Serve the apps' static files straight from their folders: no collectstatic step to forget.
WHITENOISE_USE_FINDERS = True
APPEND_SLASH = False
#: Where somebody comes who signed in without having asked for a page.
LOGIN_REDIRECT_URL = "admin:index"
SILENCED_SYSTEM_CHECKS = (
    [] if BEHIND_TLS_PROXY else ["security.W004", "security.W008", "security.W012", "security.W016"]
)

# --- API ---------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.AppKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsing.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["notifications.api.throttling.ApplicationThrottle"],
    "EXCEPTION_HANDLER": "config.problems.answer",
    "DEFAULT_SCHEMA_CLASS": "config.schema.Schema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bongsu",
    "DESCRIPTION": "One call, and the message reaches the person, by whichever channel works, once.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"Channel": [(channel.value, channel.value) for channel in Channel]},
}

# --- Celery ------------------------------------------------------------------------------------------
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
#: Tasks between which Celery would close the database connection by itself; config/celery.py sees to broken ones.
CELERY_DB_REUSE_MAX = 1_000_000
#: Seconds after which Redis gives an unacknowledged hint to somebody else.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 600, "queue_order_strategy": "priority"} if CELERY_BROKER_URL.startswith("redis") else {}
)
#: On RabbitMQ every queue is replicated (a quorum queue), and a topic exchange lets Celery put off hints by RabbitMQ's
#: own means: a worker would hold them in its memory otherwise.
CELERY_TASK_QUEUES = brokers.quorum_queues() if CELERY_BROKER_URL.startswith("amqp") else None
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "notifications.sweep", "schedule": 2.0, "options": {"queue": "planner", "expires": 10}},
    "expire": {"task": "notifications.expire", "schedule": 5.0, "options": {"queue": "planner", "expires": 10}},
    "escalate": {"task": "notifications.escalate", "schedule": 2.0, "options": {"queue": "planner", "expires": 10}},
    "digest": {"task": "notifications.digest", "schedule": 2.0, "options": {"queue": "planner", "expires": 10}},
    "missed_receipts": {
        "task": "notifications.give_up_receipts",
        "schedule": 60.0,
        "options": {"queue": "planner", "expires": 60},
    },
    "erase": {"task": "notifications.erase", "schedule": 10.0, "options": {"queue": "planner", "expires": 10}},
    "arrive": {"task": "tracking.arrive", "schedule": 1.0, "options": {"queue": "receipts", "expires": 5}},
    "tally": {"task": "notifications.tally", "schedule": 3.0, "options": {"queue": "planner", "expires": 10}},
    "campaigns": {"task": "campaigns.tick", "schedule": 5.0, "options": {"queue": "planner", "expires": 10}},
    "retries": {"task": "campaigns.retry", "schedule": 15.0, "options": {"queue": "planner", "expires": 15}},
    "lists": {"task": "campaigns.list", "schedule": 15.0, "options": {"queue": "planner", "expires": 15}},
    "exports": {"task": "campaigns.export", "schedule": 15.0, "options": {"queue": "planner", "expires": 15}},
    "partitions": {
        "task": "notifications.partitions",
        "schedule": timedelta(hours=1),
        "options": {"queue": "planner", "expires": 3600},
    },
    "fold_reactions": {"task": "tracking.fold", "schedule": 2.0, "options": {"queue": "receipts", "expires": 10}},
    "forget_reactions": {
        "task": "tracking.forget",
        "schedule": timedelta(hours=1),
        "options": {"queue": "receipts", "expires": 3600},
    },
}

# --- logs --------------------------------------------------------------------------------------------
#: json for machines, console for people; unset: console on a terminal.
LOGGING = logging_config(style=env.str("LOG_FORMAT", ""), level=env.str("LOG_LEVEL", "INFO"))
