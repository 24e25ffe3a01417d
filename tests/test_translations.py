"""Every text for people is marked, and the Swedish catalogue has it."""

import re
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po
from jinja2 import Environment

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
MODULES = sorted(path for folder in ("hostup_dashboard", "tickets") for path in (ROOT / folder).rglob("*.py"))
CATALOGUE = read_po(BytesIO((ROOT / "locale" / "sv" / "LC_MESSAGES" / "django.po").read_bytes()))

KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
TO_KEEP = re.compile(r"%(?:\(\w+\))?[a-z%]|\{\w*\}|</?\w[^>]*>")  # placeholders and markup

NAMES = ("HostUp Dashboard", '"primary"')  # the same in every language: the product, a class
LETTER = re.compile(r"[^\W\d_]")
READ_BY_PEOPLE = re.compile("alt|aria-label|aria-description|data-copied|hx-confirm|label|placeholder|title")
# Tags around text that no page shows as it is, and the tags that end it: a text to translate, a class, an id.
APART = {"trans": "endtrans", "block layout": "endblock", "block content_id": "endblock"}
LEXER = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701  (reads templates, renders none)
# A text that shows in place of a missing value.
UNMARKED_LITERAL = re.compile(r"""(?:\bor|\belse|\bdefault\(|^)\s*("[^"]+"|'[^']+')""")


def test_every_text_is_translated():
    assert [text for text, context in marked_texts() if not is_translated(text, context)] == []


def test_texts_stand_in_the_order_that_make_messages_gives_them():
    """Otherwise adding one text would move hundreds of others."""
    texts = [message for message in CATALOGUE if message.id]
    assert texts == sorted(texts)


def test_every_translation_keeps_placeholders_and_markup():
    assert [message.id for message in translations() if not keeps_what_it_must(message)] == []


def test_the_catalogue_has_no_text_that_nothing_uses():
    assert not CATALOGUE.obsolete
    used = {(first(text), context) for text, context in marked_texts()}
    assert {(first(message.id), message.context) for message in translations()} == used


def test_the_catalogue_says_that_it_is_swedish():
    assert (str(CATALOGUE.locale), CATALOGUE.charset, CATALOGUE.num_plurals) == ("sv", "utf-8", 2)
    assert not CATALOGUE.fuzzy


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_in_a_template_is_marked_for_translation(template):
    assert bare_texts(template.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{% if user %}Hello{% endif %}</p>",
        '<button aria-label="Hello {{ user }}"></button>',
        '<input type="submit" value="Hello">',
        '<meta name="description" content="Hello">',
        '{{ user or "Hello" }}',
        '{{ user|default("Hello", true) }}',
        '{{ "Hello" if user }}',
        '{% set name = user or "Hello" %}',
        '{% trans name=user or "Hello" %}{{ name }}{% endtrans %}',
    ],
)
def test_text_that_is_not_marked_is_found(source):
    assert bare_texts(source)


@cache
def marked_texts():
    """Return (text, context) of all that the source marks; the text is a tuple where it has a plural."""
    sources = [("jinja2", path) for path in TEMPLATES] + [("python", path) for path in MODULES]
    found = (
        extract(kind, BytesIO(path.read_bytes()), KEYWORDS, options={"silent": "false"}) for kind, path in sources
    )
    return {(text, context) for texts in found for _line, text, _comments, context in texts}


def translations():
    return [message for message in CATALOGUE if message.id]


def is_translated(text, context) -> bool:
    message = CATALOGUE.get(text, context)
    if message is None or message.fuzzy:
        return False
    count = CATALOGUE.num_plurals if isinstance(text, tuple) else 1
    return len(forms(message.string)) >= count and all(forms(message.string))


def keeps_what_it_must(message) -> bool:
    pairs = zip(forms(message.id), forms(message.string), strict=True)
    return all(sorted(TO_KEEP.findall(ours)) == sorted(TO_KEEP.findall(swedish)) for ours, swedish in pairs)


def forms(text) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text,)


def first(text) -> str:
    return forms(text)[0]


def bare_texts(source: str) -> list[str]:
    """Return the texts in a template that people would read and that nothing translates."""
    html, found, end, tag = "", [], "", ""
    for _line, kind, text in LEXER.lex(source):
        if kind in ("block_begin", "variable_begin"):
            tag = ""
        elif kind == "variable_end":
            found += UNMARKED_LITERAL.findall(tag.strip())
        elif kind == "block_end":
            found += UNMARKED_LITERAL.findall(tag.strip())
            starts = next((after for before, after in APART.items() if tag.strip().startswith(before)), "")
            end = "" if end and tag.strip().startswith(end) else end or starts
        elif kind == "data":
            html += "" if end else text
        else:
            tag += text
    reader = Reader()
    reader.feed(html)
    reader.close()
    return [text for text in found + reader.texts if LETTER.search(without_names(text))]


def without_names(text: str) -> str:
    for name in NAMES:
        text = text.replace(name, "")
    return text


class Reader(HTMLParser):
    """Collects what a page shows or reads out: its text, and the attributes that are for people."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def handle_data(self, data):
        if not self.cdata_elem:  # scripts and styles are not for people
            self.texts.append(data.strip())

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        self.texts += [value for name, value in attributes.items() if READ_BY_PEOPLE.fullmatch(name)]
        if attributes.get("name") == "description":
            self.texts.append(attributes.get("content", ""))
        if attributes.get("type") in ("submit", "button", "reset"):
            self.texts.append(attributes.get("value", ""))
