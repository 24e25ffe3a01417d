"""The scripts and styles that browsers get: those of the installed version, without what only we read."""

import os
import time

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command


@pytest.fixture
def release(settings, tmp_path):
    folder = tmp_path / "release"
    folder.mkdir()
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [folder], tmp_path / "served"
    return folder


def test_comments_and_white_space_stay_here(release):
    (release / "app.js").write_text('// For us.\nconst a = "// not a comment";\n\n  // Nor this.\n  f(a);\n')
    (release / "app.css").write_text(
        '/* For us. */\n.narrow ::placeholder,\n.wide :focus {\n  content: attr(title) ": "; /* It is. */\n}\n'
    )
    call_command("collectstatic", interactive=False, verbosity=0)
    served = [staticfiles_storage.open(name).read() for name in ("app.js", "app.css")]
    sheet = b'.narrow ::placeholder,.wide :focus{content:attr(title) ": ";}'
    assert served == [b'const a="// not a comment";f(a);', sheet]


def test_a_restart_does_not_hide_the_next_version(release):
    """Unpacked files keep the time at which they were made, which may be before the restart."""
    app = release / "app.js"

    def collect(text, made_seconds_ago):
        app.write_text(text)
        os.utime(app, (time.time() - made_seconds_ago,) * 2)
        call_command("collectstatic", interactive=False, verbosity=0)

    collect("f(1);  // old", 400)
    os.utime(staticfiles_storage.path("app.js"), (time.time() - 300,) * 2)
    collect("f(1);  // old", 400)  # the restart
    collect("f(2);  // new", 200)
    assert staticfiles_storage.open("app.js").read() == b"f(2);"
