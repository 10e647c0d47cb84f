"""A Django application that believes its proxy's word on whether the client came by TLS."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for a test",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https") if "BELIEVES" in os.environ
    else None,
)


def who(request):
    url = request.build_absolute_uri()
    return HttpResponse(url, content_type="text/plain", headers={"Content-Length": len(url)})


urlpatterns = [path("who", who)]
app = get_wsgi_application()
