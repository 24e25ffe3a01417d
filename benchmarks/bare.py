"""A Django with next to nothing in it: the least that a page costs here. gunicorn serves `application`.

`/` renders nothing. `/list/` is the yardstick: a session, one kept-alive call to HostUp and 50 rows, and nothing
that an agent needs. Run as a script, this makes the database in `BARE_DATABASE` and prints the key of a session.
"""

import os

import requests
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from requests.adapters import HTTPAdapter

ROWS = """<!doctype html><title>{{ agent }}</title><ul>{% for ticket in tickets %}
<li><a href="/tickets/{{ ticket.id }}/">{{ ticket.subject }}</a> #{{ ticket.number }} {{ ticket.status }}</li>
{% endfor %}</ul>"""

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BARE_DATABASE"],
            "CONN_MAX_AGE": 60,  # seconds
        }
    },
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="signs nothing",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"rows.html": ROWS})]},
        }
    ],
    USE_TZ=True,
)
connections = HTTPAdapter(pool_maxsize=24)


def nothing(request):
    return HttpResponse("ok")


def rows(request):
    from django.shortcuts import render

    session = requests.Session()
    session.mount("http://", connections)
    answer = session.get(os.environ["HOSTUP_LIST"], headers={"Authorization": "Bearer key"}, timeout=10)
    return render(request, "rows.html", {"agent": request.session["agent"], "tickets": answer.json()["data"]})


urlpatterns = [path("", nothing), path("list/", rows)]
application = get_wsgi_application()

if __name__ == "__main__":
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    session = SessionStore()
    session["agent"] = "agent"
    session.create()
    print(session.session_key)
