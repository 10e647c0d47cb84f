"""What the tests of frameworks ask for, in Django: its settings, views and URLs in one module."""

import hashlib

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import etag

from tests.apps.pages import LINES, PAGE

settings.configure(
    SECRET_KEY="for tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)


def text(content, **options):
    return HttpResponse(content, content_type="text/plain; charset=utf-8", **options)


@etag(lambda request: '"one"')
def page(request):
    return text(PAGE)


def form(request):
    return text(f"{request.POST['name']} says {request.POST['text']}")


def upload(request):
    file = request.FILES["file"]
    content = file.read()
    return text(f"{file.name} {len(content)} {hashlib.sha256(content).hexdigest()}")


def raw(request):
    content = request.read()
    return text(f"{len(content)} {hashlib.sha256(content).hexdigest()}")


def lines(request):
    return StreamingHttpResponse((line for line in LINES), content_type="text/plain")


def moved(request):
    return HttpResponseRedirect("/page?moved")


def visit(request):
    response = text(f"{request.COOKIES.get('name')} {request.COOKIES.get('visits')}")
    response.set_cookie("name", "Ann")
    response.set_cookie("visits", str(int(request.COOKIES.get("visits", 0)) + 1), httponly=True)
    return response


def word(request, word):
    return text(f"{word} {request.GET.get('q')} {request.build_absolute_uri()}")


def fails(request):
    raise ZeroDivisionError("the view divided by zero")


urlpatterns = [
    path("page", page), path("form", form), path("upload", upload), path("raw", raw),
    path("lines", lines), path("moved", moved), path("visit", visit), path("word/<word>", word),
    path("fails", fails),
]
app = get_wsgi_application()
