"""What the tests of frameworks ask for, in Pyramid."""

import hashlib

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response

from tests.apps.pages import LINES, PAGE


def text(content):
    return Response(content, content_type="text/plain", charset="utf-8")


def page(request):
    response = text(PAGE)
    response.etag = "one"
    response.conditional_response = True
    return response


def form(request):
    return text(f"{request.POST['name']} says {request.POST['text']}")


def upload(request):
    field = request.POST["file"]
    content = field.file.read()
    return text(f"{field.filename} {len(content)} {hashlib.sha256(content).hexdigest()}")


def raw(request):
    content = request.body
    return text(f"{len(content)} {hashlib.sha256(content).hexdigest()}")


def lines(request):
    return Response(app_iter=(line.encode() for line in LINES), content_type="text/plain")


def moved(request):
    return HTTPFound("/page?moved")


def visit(request):
    response = text(f"{request.cookies.get('name')} {request.cookies.get('visits')}")
    response.set_cookie("name", "Ann")
    response.set_cookie("visits", str(int(request.cookies.get("visits", 0)) + 1), httponly=True)
    return response


def word(request):
    return text(f"{request.matchdict['word']} {request.GET.get('q')} {request.url}")


def fails(request):
    raise ZeroDivisionError("the view divided by zero")


with Configurator() as config:
    for view in (page, form, upload, raw, lines, moved, visit, word, fails):
        name = view.__name__
        config.add_route(name, "/word/{word}" if name == "word" else f"/{name}")
        config.add_view(view, route_name=name)
    app = config.make_wsgi_app()
