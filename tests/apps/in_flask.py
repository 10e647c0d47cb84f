"""What the tests of frameworks ask for, in Flask."""

import hashlib

from flask import Flask, Response, redirect, request, stream_with_context

from tests.apps.pages import LINES, PAGE

app = Flask(__name__)


@app.get("/page")
def page():
    response = Response(PAGE, mimetype="text/plain")
    response.set_etag("one")
    return response.make_conditional(request)


@app.post("/form")
def form():
    return f"{request.form['name']} says {request.form['text']}"


@app.post("/upload")
def upload():
    file = request.files["file"]
    content = file.read()
    return f"{file.filename} {len(content)} {hashlib.sha256(content).hexdigest()}"


@app.put("/raw")
def raw():
    content = request.get_data()
    return f"{len(content)} {hashlib.sha256(content).hexdigest()}"


@app.get("/lines")
def lines():
    return Response((line for line in LINES), mimetype="text/plain")


@app.get("/context")
def context():
    """Five megabytes; each block is asked of the request of that moment."""
    def word():
        for _ in range(20):
            yield request.args["word"] * 50_000

    return Response(stream_with_context(word()), mimetype="text/plain")


@app.get("/moved")
def moved():
    return redirect("/page?moved")


@app.get("/visit")
def visit():
    response = Response(f"{request.cookies.get('name')} {request.cookies.get('visits')}")
    response.set_cookie("name", "Ann")
    response.set_cookie("visits", str(int(request.cookies.get("visits", 0)) + 1), httponly=True)
    return response


@app.get("/word/<word>")
def word(word):
    return f"{word} {request.args.get('q')} {request.url}"


@app.get("/fails")
def fails():
    raise ZeroDivisionError("the view divided by zero")
