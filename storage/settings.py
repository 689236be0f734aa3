"""Django's settings, all of them from config.yaml."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from bridge.config import CONFIG_VARIABLE, load
from storage.database import database
from storage.secret import secret_key

_given = os.environ.get(CONFIG_VARIABLE)
TICBRIDGE = load(Path(_given) if _given else None)
_here = Path(__file__).parent
_base = urlsplit(TICBRIDGE.web.base_url) if TICBRIDGE.web.base_url else None
_https = _base is not None and _base.scheme == "https"

SECRET_KEY = secret_key(TICBRIDGE.bridge.state_dir)
DEBUG = False
ALLOWED_HOSTS = [
    *(["*"] if TICBRIDGE.web.ingress else []),  # only Home Assistant reaches us, and says how it is called
    "localhost",
    "127.0.0.1",
    "[::1]",
    *TICBRIDGE.web.hosts,
    *([TICBRIDGE.web.address[0]] if TICBRIDGE.web.address[0] not in ("0.0.0.0", "::") else []),  # noqa: S104  compared
    *([_base.hostname] if _base and _base.hostname else []),
]

INSTALLED_APPS = [
    "storage.administration.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "storage.entities",
    "storage",
    "storage.tariffs",
    "storage.alerts",
    "storage.webhooks",
    "storage.tokens",
    "storage.api",
    "storage.usage",
    "storage.web",
]
MIDDLEWARE = [
    "storage.operations.requests.CountRequests",  # first: it counts what the others answer, too
    "django.middleware.security.SecurityMiddleware",
    "storage.web.assets.StaticFiles",
    "storage.web.headers.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    *(["storage.web.ingress.IngressUser"] if TICBRIDGE.web.ingress else []),
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",  # history names who was logged in
    "storage.usage.middleware.UsageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "storage.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "storage.web.frame.frame",
            ],
        },
    },
]

DATABASES = {"default": database(TICBRIDGE.storage.database, TICBRIDGE.storage.secret())}
FIXTURE_DIRS = [TICBRIDGE.storage.fixtures] if TICBRIDGE.storage.fixtures else []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["storage.tokens.guesses.GuardedBackend"]
TRUSTED_PROXIES = TICBRIDGE.web.proxies
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "now"
LOGOUT_REDIRECT_URL = "login"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "storage.tokens.authentication.TokenAuthentication",  # the first one's name makes a 401
        "storage.api.access.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["storage.api.access.ModelPermissions", "storage.tokens.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["storage.api.problems.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "storage.api.problems.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "storage.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "storage.api.problems.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ticbridge",
    "DESCRIPTION": "What the meters said, what it cost, and under which contracts. Questions: docs/reference/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",  # JSON Schema as pydantic writes it
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "storage.api.schema.say_null_once"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AlertKindEnum": "storage.alerts.meanings.Kind",
        "PriceKindEnum": "storage.tariffs.models.TariffPrice.Kind",
        "TariffOriginEnum": "storage.tariffs.models.Origin",
        "RollupOriginEnum": "storage.models.Rollup.Origin",
    },
    "COMPONENT_SPLIT_REQUEST": True,
}

USE_I18N = True
USE_TZ = True
TIME_ZONE = TICBRIDGE.meters[0].timezone
LANGUAGE_CODE = TICBRIDGE.homeassistant.language
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [_here / "locale"]

STATIC_URL = "static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "storage.web.assets.Below"},
}
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}
WHITENOISE_USE_FINDERS = True  # served from the package itself: nothing to collect, nothing to fetch

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 3600 if _https else 0
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"] if _base else []
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = [] if _https else ["security.W004", "security.W008", "security.W012", "security.W016"]

NOTIFY_CHANGES = TICBRIDGE.webhooks.enabled
NOTIFY_PRIVATE = TICBRIDGE.webhooks.private
NOTIFY_KEEP = TICBRIDGE.webhooks.keep_age
NOTIFY_OPTIONS = {"names": True, "display": True, "m2m": True}  # of `to_dict`
NOTIFY_EVENTS = {
    "tariff_change": _("another tariff runs"),
    "over_power": _("more power than subscribed"),
    "trip_risk": _("the breaker is about to open"),
    "peak_notice": _("a mobile peak is announced"),
    "tempo_known": _("the Tempo colour of tomorrow is known"),
    "meter_silent": _("a meter is silent"),
    "index_reset": _("an index began anew"),
    "alert_raised": _("an alert is raised"),
    "alert_cleared": _("an alert is over"),
}

SERVICE_USAGE = TICBRIDGE.usage.enabled
SERVICE_USAGE_LOG_DATA = TICBRIDGE.usage.log_data
SERVICE_USAGE_LIMIT_ONLY = TICBRIDGE.usage.limit_only

LOGGING_CONFIG = None  # bridge.logs set it up
