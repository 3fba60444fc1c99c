"""Django's and Celery's settings: assignments only, every variable read through pirunner.env."""

import os
from pathlib import Path
from typing import Any

import environ

from pirunner import broker_note, env

BASE_DIR = env.ROOT
# What `.env` cannot change, because real variables win.
REAL_ENVIRONMENT = frozenset(name for name, value in os.environ.items() if value.strip())
environ.Env.read_env(os.environ.get("ENV_FILE") or BASE_DIR / ".env", overwrite=False)

DEVELOPMENT = env.switch("DEVELOPMENT")
DEBUG = DEVELOPMENT
# Empty, Django refuses to start: a well-known key would let anybody forge a session of the admin.
SECRET_KEY = env.secret("SECRET_KEY") or ("development" if DEVELOPMENT else "")
ALLOWED_HOSTS = list(env.names("ALLOWED_HOSTS"))
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

RUNNER_DATA_DIR: Path = env.path("RUNNER_DATA_DIR") or BASE_DIR / "data"
DATA_DIR: Path = env.path("DATA_DIR") or RUNNER_DATA_DIR / "artifacts"

# -- the API ----------------------------------------------------------------------------------------------
PORT = env.integer("PORT")
HOST = env.text("HOST")
RUNNER_API_TOKEN = env.secret("RUNNER_API_TOKEN")
MAX_BODY_BYTES = 1024 * 1024
MAX_BATCH_BYTES = 4 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BATCH_BYTES
MAX_JSON_DEPTH = 64
IDEMPOTENCY_TTL_SECONDS = env.integer("IDEMPOTENCY_TTL_SECONDS")

# -- jobs -------------------------------------------------------------------------------------------------
RUNNER_JOBS = env.names("RUNNER_JOBS")
WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY")
CRYPTO_MAX_ITEMS = env.integer("CRYPTO_MAX_ITEMS")
FETCH_ALLOWED_HOSTS = env.names("FETCH_ALLOWED_HOSTS")
LLM_BASE_URL = env.url("LLM_BASE_URL", "http", "https")
LLM_MODEL = env.text("LLM_MODEL")
LLM_API_KEY = env.secret("LLM_API_KEY")
LLM_TIMEOUT_SECONDS = env.integer("LLM_TIMEOUT_SECONDS")
LLM_BUDGET_TOKENS_PER_JOB = env.integer("LLM_BUDGET_TOKENS_PER_JOB")
LLM_BUDGET_TOKENS_PER_DAY = env.integer("LLM_BUDGET_TOKENS_PER_DAY")
LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY = env.numbers("LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY")

# -- retention --------------------------------------------------------------------------------------------
RETENTION_COMPLETED_DAYS = env.integer("RETENTION_COMPLETED_DAYS")
RETENTION_FAILED_DAYS = env.integer("RETENTION_FAILED_DAYS")
RETENTION_CANCELLED_DAYS = env.integer("RETENTION_CANCELLED_DAYS")
RETENTION_MAX_JOBS = env.integer("RETENTION_MAX_JOBS")
EVENT_RETENTION_DAYS = env.integer("EVENT_RETENTION_DAYS")
DELIVERY_RETENTION_DAYS = env.integer("DELIVERY_RETENTION_DAYS")
OCCURRENCE_RETENTION_DAYS = env.integer("OCCURRENCE_RETENTION_DAYS")

# -- callbacks --------------------------------------------------------------------------------------------
WEBHOOK_SECRET = env.secret("WEBHOOK_SECRET")
WEBHOOK_SECRET_PREVIOUS = env.secret("WEBHOOK_SECRET_PREVIOUS")
WEBHOOK_SECRET_PREVIOUS_UNTIL = env.moment("WEBHOOK_SECRET_PREVIOUS_UNTIL")
CALLBACK_URL = env.url("CALLBACK_URL", "http", "https")
CALLBACK_PORT = env.integer("CALLBACK_PORT")
INSTALLER_TOKEN = env.secret("INSTALLER_TOKEN")
CRYPTO_BRIEF_CRON = env.clearable("CRYPTO_BRIEF_CRON")
CALLBACK_ALLOWED_HOSTS = env.names("CALLBACK_ALLOWED_HOSTS")
CALLBACK_ATTEMPTS = env.integer("CALLBACK_ATTEMPTS")
CALLBACK_RETRY_MS = env.integer("CALLBACK_RETRY_MS")
CALLBACK_PER_HOST = env.integer("CALLBACK_PER_HOST")

# -- the relay --------------------------------------------------------------------------------------------
RELAY = env.switch("RELAY")
CALLBACK_HOST = env.text("CALLBACK_HOST")
TELEGRAM_BOT_TOKEN = env.secret("TELEGRAM_BOT_TOKEN")
TELEGRAM_CHAT_ID = env.text("TELEGRAM_CHAT_ID")
TELEGRAM_API_URL = env.url("TELEGRAM_API_URL", "http", "https") or "https://api.telegram.org"
NOTIFY_URLS = env.urls("NOTIFY_URLS")
NOTIFY_RECIPIENTS = env.named_urls("NOTIFY_RECIPIENTS")

# -- Flower -----------------------------------------------------------------------------------------------
FLOWER = env.switch("FLOWER")
FLOWER_PORT = env.integer("FLOWER_PORT")

# -- Django -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "pirunner",
    "pirunner.tokens",
    "pirunner.staff",
    "schedules",
    "jobs",
    "webhooks",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_celery_results",
]
MIDDLEWARE = [
    "pirunner.request_ids.name_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pirunner.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "pirunner.middleware.CsrfViewMiddleware",
    "pirunner.middleware.AuthenticationMiddleware",
    "pirunner.middleware.MessageMiddleware",
    "pirunner.middleware.XFrameOptionsMiddleware",
    "pirunner.middleware.PolicyMiddleware",
]
ROOT_URLCONF = "pirunner.urls"
WSGI_APPLICATION = "pirunner.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = env.zone("TZ")
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
APPEND_SLASH = True
X_FRAME_OPTIONS = "SAMEORIGIN"
UNFOLD = {
    "SITE_TITLE": "pirunner",
    "SITE_HEADER": "pirunner",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "GLOBAL_CALLBACK": "pirunner.dashboard.shell.surroundings",
    "DASHBOARD_CALLBACK": "pirunner.dashboard.views.front_page",
    "SIDEBAR": {
        "navigation": "pirunner.dashboard.navigation.navigation",
        "show_search": True,
        "command_search": True,
    },
}
# Nothing comes from elsewhere, and nothing inline runs. Alpine, on which unfold's pages rest, evaluates its attributes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'self'"],
    }
}
LOGIN_REDIRECT_URL = "/admin/"
CSRF_FAILURE_VIEW = "pirunner.dashboard.faults.csrf_failure"
SILENCED_SYSTEM_CHECKS: list[str] = []

# Accepted work is fsynced (FULL); IMMEDIATE takes SQLite's write lock at the start of a transaction, so that
# two of them wait for each other instead of failing half-way (FACTS: 900 of 1,200 against 0).
SQLITE: dict[str, Any] = {
    "ENGINE": "pirunner.sqlite",
    "NAME": RUNNER_DATA_DIR / "pirunner.sqlite3",
    "OPTIONS": {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-8000;PRAGMA journal_size_limit=8388608"
        ),
    },
    "CONN_MAX_AGE": None,
}
# A server that has gone is noticed in seconds, and a lock is waited for no longer than SQLite's.
POSTGRES_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "options": "-c lock_timeout=20000",
}
DATABASE_URL = env.url("DATABASE_URL", "postgres", "postgresql", "sqlite")
DATABASES: dict[str, Any] = {"default": SQLITE}
if DATABASE_URL:
    given = environ.Env.db_url_config(DATABASE_URL)
    DATABASES["default"] = {
        **given,
        "OPTIONS": {**POSTGRES_OPTIONS, **given.get("OPTIONS", {})},
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "pirunner.logs.formatter"}},
    # A 503 says so itself, and /health says it often; a 500 is logged with its traceback.
    "filters": {
        "only_500": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", 500) == 500,
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": env.choice("LOG_LEVEL", "DEBUG", "INFO", "WARNING", "ERROR")},
    "loggers": {
        # Every refused request would be a warning; the API answers them itself.
        "django.request": {"level": "ERROR", "filters": ["only_500"]},
        # Celery notes each ring twice; the rows tell the story.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # Both log whole addresses, and those of notification services are secrets.
        "urllib3": {"level": "ERROR"},
        "apprise": {"level": "WARNING", "propagate": False, "handlers": ["nowhere"]},
    },
}

# -- Celery (read through the namespace CELERY) -----------------------------------------------------------
# A message is a doorbell: it may be lost or doubled, so it is acknowledged on receipt, never retried by
# Celery, and carries ids only. Waiting, leases and results live in the database.
REDIS_SCHEMES = ("redis", "rediss", "redis+socket")
REDIS_URL = env.url("REDIS_URL", *REDIS_SCHEMES)
BROKER_URL = env.url("BROKER_URL", *REDIS_SCHEMES, "sentinel", "amqp", "amqps") or REDIS_URL
# Commands find the private Redis of a running pirunner by the note that it leaves.
CELERY_BROKER_URL = BROKER_URL or broker_note.read(RUNNER_DATA_DIR) or "redis://127.0.0.1:6379/0"
CELERY_TASK_DEFAULT_QUEUE = "jobs"
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_RESULT_EXPIRES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 200_000  # KiB
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 0.0  # it would sleep on when the jobs have ended: jobs.keeper waits instead
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SEND_TASK_EVENTS = FLOWER
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 43200,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 0,
    "health_check_interval": 10,
    "priority_steps": [0, 3, 6, 9],
    "queue_order_strategy": "priority",
}
CELERY_TIMEZONE = "UTC"
CELERY_DB_REUSE_MAX = 1000
CELERY_BEAT_SCHEDULER = "schedules.clock:Clock"
CELERY_BEAT_SYNC_EVERY = 1
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
DJANGO_CELERY_BEAT_TZ_AWARE = True
