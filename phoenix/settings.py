"""Settings of Phoenix: everything that differs between machines comes from the environment.

`phoenix/environment.py` names and checks the variables, `docs/operations.md` lists them. Nothing below looks at the
environment a second time.
"""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from phoenix import environment
from phoenix.databases import database_settings
from phoenix.embedded_queue import embedded_queue_url
from phoenix.local_files import local_secret_key
from phoenix.logs import configure_structlog, logging_settings
from phoenix.mail import mail_settings

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = environment.read(os.environ)
VAR_DIR = Path(ENVIRONMENT.var_directory or BASE_DIR / "var").resolve()

# Who may be served, and how
SECRET_KEY = ENVIRONMENT.secret_key or local_secret_key(VAR_DIR)
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENVIRONMENT.trusted_origins)
PHOENIX_DEMO = ENVIRONMENT.demo
# Preloading is a promise about a whole domain that takes months to take back; its owner makes it, not an application.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# What the site is made of. `phoenix` comes first, so that its templates win over those of the libraries.
INSTALLED_APPS = [
    "phoenix",
    "slots",
    "migration",
    "rollout",
    *(["phoenix.demo"] if PHOENIX_DEMO else []),
    "phoenix.apps.PhoenixAdminConfig",
    "django.contrib.auth",
    "django.forms",  # the templates of its widgets, which ours stand before
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "waffle",
    "django_rq",
    "simple_history",
    "django_structlog",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "phoenix.utc.utc_administration",
    "django_structlog.middlewares.RequestMiddleware",
    "phoenix.api.one_form_of_refusals",
]
ROOT_URLCONF = "phoenix.urls"
WSGI_APPLICATION = "phoenix.wsgi.application"
ASGI_APPLICATION = "phoenix.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"heroicons": "phoenix.icons"},
        },
    }
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Rows are the truth; the queue only wakes workers up.
DATABASES = {
    "default": database_settings(
        ENVIRONMENT.database_url,
        default_file=VAR_DIR / "phoenix.sqlite3",
        max_age=ENVIRONMENT.database_max_age,
        pool=ENVIRONMENT.database_pool,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

QUEUE_NAME = "phoenix"
REDIS_URL = ENVIRONMENT.redis_url  # empty: the embedded queue
os.environ.setdefault("RQ_KEY_PREFIX", "phoenix")  # rq reads its prefix when it is first imported, and only from there
RQ_QUEUES = {
    QUEUE_NAME: {
        "URL": REDIS_URL or embedded_queue_url(VAR_DIR),
        "SERIALIZER": "rq.serializers.JSONSerializer",  # messages are data: nothing in them can run
        "DEFAULT_TIMEOUT": 600,
        "DEFAULT_RESULT_TTL": 3600,
    }
}
RQ = {"WORKER_CLASS": "phoenix.workers.Worker", "COMMIT_MODE": "on_db_commit"}
RQ_SHOW_ADMIN_LINK = False  # any staff user could delete failed jobs there; phoenix.urls mounts it behind a permission

# Seams between the apps, resolved at run time; docs/architecture.md names them.
SLOTS_PERSON_RESOLVER = "phoenix.people.person_of"
ROLLOUT_REHEARSAL_CROWD = "phoenix.demo.crowd.people_to_rehearse" if PHOENIX_DEMO else ""  # people for a template's rehearsal
SLOTS_SYSTEM_RESOLVER = "rollout.switch.SystemResolver"
SLOTS_RENDER_OBSERVER = "rollout.renders.observe"
ROLLOUT_RENDER_DAYS = ENVIRONMENT.render_days  # how long samples of renders are kept; 0: for ever
SLOTS_PREVIEW_STYLESHEETS = ["demo/shop.css"] if PHOENIX_DEMO else []  # linked by the sandboxed previews of the admin

WAFFLE_FLAG_MODEL = "rollout.Flag"  # asks the person's own row; the stock model keeps a million ids in one cache value
WAFFLE_ENABLE_ADMIN_PAGES = False  # the stock form rewrites the whole membership on every save
WAFFLE_OVERRIDE = False  # a visitor must not switch a flag by an address
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

# Messages to people: by a mail server, or, on a machine without configuration, as files
MAIL = mail_settings(ENVIRONMENT.email_url, default_directory=None if ENVIRONMENT.is_production else VAR_DIR / "mail")
globals().update(MAIL)
DEFAULT_FROM_EMAIL = ENVIRONMENT.email_from or "Phoenix <phoenix@localhost>"
SUPPORT_CONTACT = ENVIRONMENT.support_contact  # what {support} in a notice stands for

# People who work here
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

# Transport and cookies
SECURE_SSL_REDIRECT = ENVIRONMENT.https
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # probes come over plain HTTP from inside
SECURE_HSTS_SECONDS = ENVIRONMENT.hsts_seconds
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENVIRONMENT.hsts_seconds > 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.proxy_header else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = (
    ("__Host-session", "__Host-csrf") if ENVIRONMENT.https else ("phoenix_session", "phoenix_csrf")
)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-src": [SELF],
        "frame-ancestors": [NONE],
    },
}

# What one request may bring: an operator's form with a component's source (512 KB) and its samples fits.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 8_000  # a draft of 1,000 operations has seven fields for each in its editor
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns where it is missing, which `collectstatic` has yet to fill
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if ENVIRONMENT.is_production
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not ENVIRONMENT.is_production  # no `collectstatic` before a first look
WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGE_CODE = ENVIRONMENT.language
TIME_ZONE = ENVIRONMENT.time_zone
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "phoenix.formats"

LOGGING = logging_settings(level=ENVIRONMENT.log_level, shape=ENVIRONMENT.log_format)
configure_structlog()
