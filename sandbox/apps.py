"""Lets Django find `manage.py sandbox`. The sandbox has no models and no views."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "sandbox"
    verbose_name = "HostUp API sandbox"
