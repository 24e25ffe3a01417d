"""Settings: everything that differs between installations comes from the environment (see the README)."""

from contextlib import suppress
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from hostup_dashboard import environment, logs

BASE_DIR = Path(__file__).resolve().parent.parent

env = environment.Env()

# The installation

# For what the dashboard makes itself: the SQLite file and the collected static files.
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data")))
SITE = environment.site_url(env.str("SITE_URL", "http://127.0.0.1:8000"))
SECRET_KEY = env.secret("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY is too short: at least 32 random characters.")
ENCRYPTION_KEYS = environment.encryption_keys(env.secret("ENCRYPTION_KEYS"), SECRET_KEY)
DEBUG = env.switch("DEBUG")
METRICS_ADDRESS = environment.metrics_address(env.str("METRICS_ADDRESS", ""))  # served by gunicorn.conf.py

HOSTUP_API_URL = environment.hostup_url(env.str("HOSTUP_API_URL", "https://cloud.hostup.se"))
HOSTUP_CA_BUNDLE = env.str("HOSTUP_CA_BUNDLE", "") or None
HOSTUP_PROXY = environment.hostup_proxy(env.str("HOSTUP_PROXY", ""))
HOSTUP_DEADLINE = 10.0  # seconds that one call may take in all
HOSTUP_FILE_DEADLINE = 120.0  # seconds that one attachment may take, either way
HOSTUP_IS_SANDBOX = HOSTUP_API_URL.startswith("http://")  # the real one speaks https only

# Django

# Loopback is for health checks from the machine itself; no page builds an address from the Host header.
ALLOWED_HOSTS = [SITE.bracketed, "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE.origin]
ROOT_URLCONF = "hostup_dashboard.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "hostup_dashboard.apps.FrameConfig",  # before Django's: of two commands with one name, the first app's counts
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "tickets",
    "sandbox",
]

MIDDLEWARE = [
    "hostup_dashboard.request_log.request_log",
    # What sets headers on answers comes first, so that a redirect to https has them, too.
    "hostup_dashboard.middleware.answer_headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hostup_dashboard.middleware.Compressed",
    "hostup_dashboard.middleware.Sessions",
    "django.middleware.locale.LocaleMiddleware",
    "hostup_dashboard.middleware.browser_time_zone",
    "django_htmx.middleware.HtmxMiddleware",
    "hostup_dashboard.middleware.worded_method_errors",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hostup_dashboard.accounts.sessions.SessionLimits",
    "hostup_dashboard.middleware.SignInRequired",
    "hostup_dashboard.middleware.RefusedForms",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hostup_dashboard.accounts.second_step.SecondStepRequired",
    "tickets.middleware.hostup_tally",
    "tickets.middleware.HostUpErrors",
]

FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",  # up to 2.5 MB a form
    "hostup_dashboard.uploads.OnDisk",
]

TEMPLATES = [
    {
        # For our templates: a list of tickets takes a third of the time that it takes with Django's own engine.
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "tickets.shown.environment",
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hostup_dashboard.context.frame",
            ],
        },
    },
    {
        # For allauth's templates, where we have none of our own.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
    },
]

# Database, cache, sessions

# Each thread of the server keeps its connection for a minute: opening one takes as long as fetching two rows.
DATABASES = {
    "default": environment.database(env.str("DATABASE_URL", f"sqlite:///{DATA_DIR / 'db.sqlite3'}"))
    | {"CONN_MAX_AGE": 60}  # seconds
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "hostup_dashboard.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # as for Django's own, which test tools know by its name
    DATABASES["default"]["OPTIONS"] = {
        # Readers go on while somebody writes; a writer waits its turn rather than failing half-way. What is saved
        # before something is sent also survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
    }
    with suppress(OSError):  # the check hostup_dashboard.E003 reports it
        Path(DATABASES["default"]["NAME"]).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
else:
    options = environment.POSTGRESQL_OPTIONS | DATABASES["default"].get("OPTIONS", {})  # the address's own win
    DATABASES["default"] |= {"CONN_HEALTH_CHECKS": True, "OPTIONS": options}

CACHES = {"default": environment.cache(env.str("CACHE_URL", "locmemcache://"))}

MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_ENGINE = "hostup_dashboard.accounts.session_store"
SESSION_COOKIE_SAMESITE = "Lax"

# Language and time

LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("sv", _("Swedish"))]
if LANGUAGE_CODE not in dict(LANGUAGES):
    raise ImproperlyConfigured(f"LANGUAGE_CODE must be {' or '.join(dict(LANGUAGES))}, not {LANGUAGE_CODE!r}.")
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = environment.time_zone(env.str("TIME_ZONE", "Europe/Stockholm"))

# Static files: collected when the server starts (gunicorn.conf.py), served minified under hashed names

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "hostup_dashboard.static_files.StaticFilesStorage"},
}

# Accounts (django-allauth): no sign-up, throttled, the only way in

AUTHENTICATION_BACKENDS = ["tickets.sign_in.Backend"]
PASSWORD_HASHERS = [
    "hostup_dashboard.accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # older hashes, replaced at the next sign-in
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "tickets"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds that a link to choose a password works
ACCOUNT_ADAPTER = "hostup_dashboard.accounts.adapters.AccountAdapter"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "tickets.password_links.Links"  # noqa: S105  (no secret)
ACCOUNT_FORMS = {"change_password": "hostup_dashboard.accounts.forms.ChangePasswordForm"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Failed attempts: for one name or second step, and (hostup_dashboard/accounts/throttle.py) from one address.
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key", "failed_from_address": "10/m/ip"}
# https means that a proxy in front of us ends TLS and names the client's address; http, that none does.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SITE.is_https else 0

SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: a working day, even one without a pause
SESSION_IDLE_SECONDS = 60 * 60

MFA_ADAPTER = "tickets.second_step.Adapter"
MFA_REQUIRED = env.switch("MFA_REQUIRED")
MFA_ALLOW_UNVERIFIED_EMAIL = True  # no mail is sent, so nobody could verify an address
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
if environment.takes_passkeys(SITE):
    MFA_SUPPORTED_TYPES.append("webauthn")
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "authenticate": "hostup_dashboard.accounts.forms.CodeForm",
    "reauthenticate": "hostup_dashboard.accounts.forms.CodeAgainForm",
    "authenticate_webauthn": "hostup_dashboard.accounts.forms.PasskeyForm",
    "reauthenticate_webauthn": "hostup_dashboard.accounts.forms.PasskeyAgainForm",
    "add_webauthn": "hostup_dashboard.accounts.forms.AddPasskeyForm",
    "login_webauthn": "hostup_dashboard.accounts.forms.PasskeyAloneForm",
    "edit_webauthn": "hostup_dashboard.accounts.forms.RenamePasskeyForm",
}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SITE.is_https
MFA_TOTP_ISSUER = "HostUp Dashboard"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s that a phone's clock may be off

OIDC_ISSUER = environment.oidc_issuer(env.str("OIDC_ISSUER", ""))
OIDC_NAME = env.str("OIDC_NAME", "") or _("Company account")
OIDC_CREATES_AGENTS = env.switch("OIDC_CREATES_AGENTS")
SOCIALACCOUNT_ADAPTER = "hostup_dashboard.accounts.adapters.IdentityProviderAdapter"
SOCIALACCOUNT_PROVIDERS = {}
if OIDC_ISSUER:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APP": {
            "provider_id": "company",
            "name": OIDC_NAME,
            "client_id": env.secret("OIDC_CLIENT_ID"),
            "secret": env.secret("OIDC_CLIENT_SECRET"),
            "settings": {"server_url": OIDC_ISSUER},
        },
    }

# Form fields in which agents write at length: no error may lose their text

TEXT_FIELDS = ["subject", "message", "critical_reason"]

# What browsers are told

SECURE_SSL_REDIRECT = SITE.is_https
SECURE_SSL_HOST = SITE.netloc  # rather than the request's Host, which anybody can set
# Only the proxy knows whether TLS was used. It must set this header itself and replace one that a browser sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SITE.is_https else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# HSTS for subdomains (W005) and browsers' preload lists (W021) concern more of the domain than this one host.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SITE.is_https else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE.is_https
if SITE.is_https:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_HTTPONLY = True  # the token travels in the forms
CSRF_FAILURE_VIEW = "hostup_dashboard.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "upgrade-insecure-requests": SITE.is_https,
    }
}

# Errors and logs: the API key must be in neither

DEFAULT_EXCEPTION_REPORTER = "hostup_dashboard.logs.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "hostup_dashboard.logs.NoVariables"
LOGGING = logs.LOGGING
