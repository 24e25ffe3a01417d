"""Django with nothing in it: what any page costs here at least. gunicorn serves `application`."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY="signs nothing", USE_TZ=True)
urlpatterns = [path("", lambda request: HttpResponse("ok"))]
application = get_wsgi_application()
