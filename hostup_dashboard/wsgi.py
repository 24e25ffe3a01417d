"""What the web server starts: `gunicorn hostup_dashboard.wsgi`."""

import os
import re

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hostup_dashboard.settings")
answer = get_wsgi_application()


def application(environ, start_response):
    """Answer a request, of whose Content-Type only the kind and where the parts of a form end are heeded.

    Its `charset`, which is any of Python's codecs, would decide how its address is read, before there is a page of
    ours to say that it cannot be.
    """
    kind, *parameters = environ.get("CONTENT_TYPE", "").split(";")
    boundary = [parameter for parameter in parameters if re.match(r"\s*boundary=", parameter, re.IGNORECASE)]
    environ["CONTENT_TYPE"] = ";".join([kind, *boundary])
    return answer(environ, start_response)
