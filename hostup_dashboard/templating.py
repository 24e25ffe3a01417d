"""How templates (Jinja2) are rendered: what each may use beside its context, and how its texts are translated."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial

from django.template import engines
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils import timezone, translation
from django.utils.html import json_script
from jinja2 import ChainableUndefined, Environment
from jinja2.runtime import Macro


def environment(**options) -> Environment:
    """Return the environment of every template. `options` are Django's: loader, escaping, reloading.

    A name that a page does not have is empty, and so is a name of it: a fragment stands in many pages, and an
    error page may have no request. It can be neither called nor compared.
    """
    ours = {"undefined": ChainableUndefined, "extensions": ["jinja2.ext.i18n"]}
    env = Environment(**options | ours)  # noqa: S701  (Django's options have it escape)
    env.install_gettext_callables(translation.gettext, translation.ngettext)
    env.globals |= {"language": translation.get_language, "remembered": remembered, "static": static, "url": url}
    env.filters |= {"exact": exact, "iso": iso, "json_script": json_script}
    return env


def remembered(macro: Macro) -> Callable[..., str]:
    """Return `macro` with its output cached by its arguments. Pass short, hashable values: they are kept.

    Beside those it may depend on the language and the time zone, which a request chooses, and on where the site is
    mounted, and on nothing else: it has to be imported without the context, and ask no clock.
    """
    surroundings = translation.get_language(), timezone.get_current_timezone_name(), get_script_prefix()
    return partial(_rendered, macro, surroundings)


@lru_cache(maxsize=500)  # each 3 to 5 KB: ten pages of tickets
def _rendered(macro, surroundings, *args):
    return macro(*args)


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
