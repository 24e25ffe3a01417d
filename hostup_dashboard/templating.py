"""How templates (Jinja2) are rendered: what they may use besides their context, and how texts are translated."""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import cache, lru_cache

from django.template import engines
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import json_script
from jinja2 import ChainableUndefined, Environment
from jinja2.ext import Extension
from jinja2.runtime import Macro
from markupsafe import Markup

PLACEHOLDER = Markup("<placeholder>")  # no text can contain this tag: it would be escaped


class Unindented(Extension):
    """Removes the templates' indentation, which does not show: up to 130 bytes of a compressed page."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)


def environment(**options) -> Environment:
    """Return the environment of all templates. `options` are Django's: loader, escaping, reloading.

    A name that the context lacks is empty, and so are its attributes: a fragment is in many pages, and an error
    page may have no request. Calling or ordering it is an error.
    """
    ours = {"undefined": ChainableUndefined, "extensions": ["jinja2.ext.i18n", Unindented]}
    env = Environment(**options | ours)  # noqa: S701  (Django's options have it escape)
    env.install_gettext_callables(translation.gettext, translation.ngettext)
    env.globals |= {"PLACEHOLDER": PLACEHOLDER, "language": translation.get_language, "remembered": remembered}
    env.globals["now"] = timezone.now
    env.globals |= {"static": cache(static), "url": url}  # their names change only when the server starts again
    env.globals["_"] = said  # Jinja2's own looks into the context and Django's catalogues each time
    env.filters |= {"exact": exact, "in_zone": in_zone, "json_script": json_script}
    return env


def remembered(macro: Macro, filling: str = "") -> Callable[..., Markup]:
    """Return `macro` with its output cached by its arguments. Pass short, hashable values: they are kept.

    Besides its arguments, it may depend on nothing but the request's language and time zone: import it without the
    context, and do not read the clock in it. What must not be cached, such as a form's token, goes into `filling`
    as markup. Pass the macro `PLACEHOLDER` instead, which `filling` then replaces.
    """
    surroundings = translation.get_language(), timezone.get_current_timezone_name()
    filling = str(filling)  # markup would escape what it joins
    return lambda *args: Markup(filling.join(_pieces(macro, surroundings, args)))  # noqa: S704  (all markup)


@lru_cache(maxsize=500)  # each 3 to 5 KB: ten pages of tickets
def _pieces(macro, surroundings, args) -> list[str]:
    return str(macro(*args)).split(PLACEHOLDER)


def compile_all() -> None:
    """Compile all our templates. Otherwise the first page that needs one waits for that."""
    env = engines["jinja2"].env
    for name in env.list_templates():
        env.get_template(name)


def said(text: str) -> str:
    """Return `text` in the agent's language."""
    return _translated(translation.get_language(), text)


@lru_cache(maxsize=2000)  # every text of every page, in both languages
def _translated(language, text) -> str:
    return translation.gettext(text)


@lru_cache(maxsize=1000)  # enough for a few lists and their tickets
def url(name: str, *args) -> str:
    """Return the address of the view called `name`, with `args`."""
    return reverse(name, args=args)


def exact(moment: datetime | None) -> str:
    """Return date and time in the agent's zone, in the format that both languages use."""
    return in_zone(moment)[:16] if moment else ""


def in_zone(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return date and time in the agent's zone (or `zone`), to the minute, with the offset from UTC. This is for
    machines; the part before the offset is for people, too."""
    zone = zone or timezone.get_current_timezone()
    try:
        return moment.astimezone(zone).isoformat(" ", "minutes")
    except OverflowError:  # a time at the end of the calendar, which another zone cannot hold
        return moment.isoformat(" ", "minutes")
