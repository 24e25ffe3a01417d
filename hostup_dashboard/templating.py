"""How templates (Jinja2) are rendered: what each may use beside its context, and how its texts are translated."""

from datetime import datetime

from django.template import engines
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import json_script
from jinja2 import ChainableUndefined, Environment


def environment(**options) -> Environment:
    """Return the environment of every template. `options` are Django's: loader, escaping, reloading.

    A name that a page does not have is empty, and so is a name of it: a fragment stands in many pages, and an
    error page may have no request. It can be neither called nor compared.
    """
    ours = {"undefined": ChainableUndefined, "extensions": ["jinja2.ext.i18n"]}
    env = Environment(**options | ours)  # noqa: S701  (Django's options have it escape)
    env.install_gettext_callables(translation.gettext, translation.ngettext)
    env.globals |= {"language": translation.get_language, "static": static, "url": url}
    env.filters |= {"exact": exact, "iso": iso, "json_script": json_script}
    return env


def compile_all() -> None:
    """Compile every template of ours, which else the first page that needs it waits for."""
    env = engines["jinja2"].env
    for name in env.list_templates():
        env.get_template(name)


def url(name: str, *args) -> str:
    """Return the address of the view called `name`, with `args` in it."""
    return reverse(name, args=args)


def exact(moment: datetime | None) -> str:
    """Give date and time in the agent's zone, the way that reads the same in both languages."""
    if moment is None:
        return ""
    try:
        return timezone.localtime(moment).isoformat(" ", "minutes")[:16]
    except OverflowError:  # a time at the end of the calendar, which another zone cannot hold
        return moment.isoformat()


def iso(moment: datetime | None) -> str:
    """Give a moment for machines, to the second."""
    return moment.isoformat(timespec="seconds") if moment else ""
