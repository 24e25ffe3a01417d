"""What the documentation names exists: files, functions, make targets, settings, addresses, pictures."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from hostup_dashboard.doctor import DATABASE_ROOM, DAYS_LEFT, FILES_ROOM, MB, SHARE_LEFT, STATIC_ROOM
from hostup_dashboard.worker import Worker
from tickets.doctor import CLOCK_SECONDS
from tickets.hostup import circuit
from tickets.hostup.client import ATTACHMENT_MOST_BYTES
from tickets.management.commands import doctor
from tickets.sending import MOST_FILES
from tickets.upstream import CALLS_AT_ONCE

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "sandbox/README.md"])
DEVELOP = ROOT / "docs/develop.md"
OF_THE_CODE = [README, DEVELOP]

CADDY = dict(re.findall(r"(\w+) (\S+)", (ROOT / "deploy/Caddyfile").read_text()))
LONGEST_FORM = MOST_FILES * settings.HOSTUP_FILE_DEADLINE  # seconds
LARGEST_REPLY = (MOST_FILES, ATTACHMENT_MOST_BYTES)
DATA_ROOM = (DATABASE_ROOM[1], STATIC_ROOM[1], DATABASE_ROOM[0], STATIC_ROOM[0])
THREADS = int(re.search(r"(?m)^threads = (\d+)$", (ROOT / "gunicorn.conf.py").read_text())[1])

AN_EXAMPLE = re.compile(r"(?m)^ {4,}.*$")
LINK = re.compile(r'\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"')
WORDS_IN_CODE = re.compile(r"`([^`\n]+)`")
A_PATH = re.compile(r"(?!SITE_URL/)[\w.*-]+(?:/[\w.*-]+)*(?:/|\.(?:py|html|css|js|md|json|toml|txt|in|po))")
AN_ADDRESS = re.compile(r"(?:SITE_URL)?(/[a-z<>/-]*)")
A_FUNCTION = re.compile(r"(\w+)\.(\w+)\(\)")
SETTINGS_READ = re.compile(r"""env\.\w+\(\s*["']([A-Z_]+)["']""")
MADE_LATER = re.compile(r"data/.*|_name\.html|\.venv/.*")  # made by what runs, or an example of a fragment's name

texts = cache(Path.read_text)
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
of_the_code = pytest.mark.parametrize("page", OF_THE_CODE, ids=lambda page: page.name)


def in_code(page: Path) -> list[str]:
    """Return what stands between backticks, outside examples."""
    return WORDS_IN_CODE.findall(AN_EXAMPLE.sub("", texts(page)))


def links(page: Path) -> list[str]:
    found = (markdown or html for markdown, html in LINK.findall(texts(page)))
    return [link.partition("#")[0] for link in found if not re.match(r"https?:|mailto:|#", link)]


@cache
def functions() -> set[tuple[str, str]]:
    """Return (module or class, name) of every function in our code."""
    found = set()
    for folder in ("hostup_dashboard", "tickets", "sandbox", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            found |= {(path.stem, node.name) for node in tree.body if isinstance(node, ast.FunctionDef)}
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    found |= {(node.name, part.name) for part in node.body if isinstance(part, ast.FunctionDef)}
    return found


@by_name
def test_every_link_and_picture_leads_somewhere(page):
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_every_picture_is_shown():
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    assert [path.name for path in ROOT.glob("docs/*.png") if path not in shown] == []


def test_the_pictures_are_light_to_load():
    sizes = {path.name: path.stat().st_size for path in ROOT.glob("docs/*.png")}
    assert {name: size for name, size in sizes.items() if size > 150_000} == {}
    assert sum(sizes.values()) < 1_500_000


@pytest.mark.parametrize("english", sorted(ROOT.glob("docs/*.en.md")), ids=lambda page: page.name)
def test_the_swedish_page_has_the_same_parts_and_its_own_pictures(english):
    swedish = english.with_name(english.name.replace(".en.", ".sv."))
    ours = [texts(page).count("\n## ") for page in (english, swedish)]
    assert ours[0] == ours[1]
    pictures = [[link for link in links(page) if link.endswith(".png")] for page in (english, swedish)]
    assert [name.replace(".en.", ".sv.") for name in pictures[0]] == pictures[1]


def test_every_file_that_is_named_exists():
    words = {name for page in OF_THE_CODE for name in in_code(page)}
    named = {name for name in words if A_PATH.fullmatch(name) and not MADE_LATER.fullmatch(name)}
    assert len(named) > 30
    anywhere = {path.name for path in ROOT.glob("[!.]*/**/*") if path.is_file()}
    missing = [name for name in named if not any(ROOT.glob(name)) and name not in anywhere]
    assert missing == []


def test_every_function_that_is_named_exists():
    named = {match.groups() for name in in_code(DEVELOP) if (match := A_FUNCTION.fullmatch(name))}
    assert len(named) > 5
    assert named - functions() == set()


def test_the_make_targets_that_are_named_are_those_that_exist():
    targets = set(re.search(r"(?m)^\.PHONY: (.+)$", texts(ROOT / "Makefile")).group(1).split())
    table = texts(README).partition("| `make …` |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in WORDS_IN_CODE.findall(row.split("|")[1])}
    for page in PAGES:
        examples = "\n".join([*in_code(page), *AN_EXAMPLE.findall(texts(page))])
        named |= set(re.findall(r"\bmake ([a-z][a-z-]*)", examples))
    assert named == targets


def test_the_readme_s_table_has_exactly_the_settings_that_are_read():
    read = {name for path in ("hostup_dashboard/settings.py", "gunicorn.conf.py") for name in settings_of(path)}
    table = texts(README).partition("| Name | Default | What |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall("`([A-Z_]+)`", row.split("|")[1])}
    assert named == read


def settings_of(path: str) -> list[str]:
    return SETTINGS_READ.findall(texts(ROOT / path))


@of_the_code
def test_every_address_that_is_named_is_one_of_ours(page):
    named = [match[1] for name in in_code(page) if (match := AN_ADDRESS.fullmatch(name))]
    assert [address for address in named if not is_ours(address)] == []


def is_ours(address: str) -> bool:
    try:
        return bool(resolve(re.sub("<[^>]*>", "1", address)))
    except Resolver404:
        return False


TOLD = [
    ("docs/agents.en.md", "leaves HostUp alone for 15 seconds", circuit.PROBE_AFTER == 15),
    ("docs/agents.en.md", "up to ten with a reply, 25 MB each", LARGEST_REPLY == (10, 25 * MB)),
    ("docs/agents.sv.md", "högst tio per svar, 25 MB styck", LARGEST_REPLY == (10, 25 * MB)),
    ("docs/agents.sv.md", "får HostUp vara i fred i 15 sekunder", circuit.PROBE_AFTER == 15),
    ("docs/operate.md", "left alone for 15 seconds at a time", circuit.PROBE_AFTER == 15),
    ("docs/monitoring.md", "agree within 5 seconds", CLOCK_SECONDS == 5),
    ("docs/monitoring.md", "It takes ten seconds at most", doctor.MOST_SECONDS == 10),
    (
        "docs/monitoring.md",
        "a warning below 1 GB for SQLite or 20 MB else, a problem below 100 or 10 MB",
        DATA_ROOM == (1024 * MB, 20 * MB, 100 * MB, 10 * MB),
    ),
    ("docs/monitoring.md", "files wait on their way (750 and 50 MB)", FILES_ROOM == (50 * MB, 750 * MB)),
    ("docs/monitoring.md", "20 calls a process", CALLS_AT_ONCE == 20),
    ("docs/scale.md", "at most 20 calls at once", CALLS_AT_ONCE == 20),
    ("docs/operate.md", "ten at a time of those that each process fetches from HostUp", CALLS_AT_ONCE // 2 == 10),
    ("docs/operate.md", "one of the dashboard's 48 threads", THREADS == 24),
    ("docs/operate.md", "Caddy holds requests for up to ten seconds", CADDY["lb_try_duration"] == "10s"),
    ("docs/operate.md", "ten files in one form may take two minutes each", LONGEST_FORM == 20 * 60),
    ("docs/scale.md", "ten files in one form may take two minutes each", LONGEST_FORM == 20 * 60),
    ("deploy/Caddyfile", "ten files of two minutes each", CADDY["read_body"] == "25m"),
    ("docs/operate.md", "warns from 14 days before", DAYS_LEFT == 14),
    ("docs/monitoring.md", "less than 56 days a quarter", DAYS_LEFT / SHARE_LEFT == 56),
    ("README.md", "of 24 threads each", THREADS == 24),
    ("SECURITY.md", "48 that stop keep the dashboard busy for half a minute", Worker.patience == 30),
    ("SECURITY.md", "48 that trickle for 25 minutes", CADDY["read_body"] == "25m"),
]


@pytest.mark.parametrize(("page", "sentence", "is_so"), TOLD)
def test_numbers_that_people_are_told_are_those_of_the_code(page, sentence, is_so):
    assert sentence in " ".join(texts(ROOT / page).split())
    assert is_so
