"""The settings of a small Django project."""

import secrets
from pathlib import Path

HERE = Path(__file__).parent

SECRET_KEY = secrets.token_hex(32)  # new at each start, which ends all sessions; your project keeps one
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "views"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [HERE / "templates"]}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3"}}
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
