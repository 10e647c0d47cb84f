"""The page, and what it asks for: a WSGI application, made to run on our own last server.

    GET  /               the page, __TOKEN__ in it replaced
    GET  /NAME           what it is made of, from static/
    GET  /stages         [{"name", "idea"}, ...]
    GET  /moments?after=N&page=WORD     {"now", "first", "last", "header", "moments": [...]}
    GET  /recording      all of it, to be saved
    POST /do             a wish as in actions.py, as JSON, with X-Token: the token of the page;
                         {"done": [...]}

A page asks for the moments after the last that it knows, a few times a second, and once more at
once where "last" says that there are more than came. If the header has another "run", the page's
server was started anew, and all that the page knows is of the past. WORD is the page's own. No
script in the page itself, and none from elsewhere: POLICY forbids it.

What is refused has a status of its own and {"error": "a sentence"}.
"""

import atexit
import hmac
import json
import os

from flask import Flask, Response, request

from lab import PROJECT
from see.broom import sweep
from see.play import Play, Refused
from see.scene import Scene

STATIC = PROJECT / "notebooks/see/static"
SERIES = ["1", "2", "3a", "3b", "3c", "3d", "3e", "3f", "3g", "3h"]
MOST_PAGES = 8  # that look on at once
POLICY = ("default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def create(environ):
    """The application, for what __main__ says in these variables; the server starts at once."""
    sweep(environ["SEE_RUN"], servers=True)  # of a worker before us, that was killed
    port, token = int(environ["SEE_PORT"]), environ.pop("SEE_TOKEN")  # no server is to have it
    first = Play(environ["SEE_STAGE"], environ["SEE_OWN"], environ["SEE_DELAY"],
                 bool(environ["SEE_LIMITED"]), environ["SEE_APP"])
    beside = environ["SEE_BESIDE"]
    scene = Scene([first, first.but(stage=beside)] if beside else [first], port)
    atexit.register(scene.close)
    app = Flask("see", static_folder=str(STATIC), static_url_path="")
    app.config.update(MAX_CONTENT_LENGTH=10_000)
    guard(app, port, token)
    show(app, token)
    tell(app, scene)
    return app


def guard(app, port, token):
    """Who asks from another page, or under another name, is refused; so is who has no token."""
    hosts = {f"localhost:{port}", f"127.0.0.1:{port}"}
    origins = {f"http://{host}" for host in hosts}

    @app.before_request
    def refuse_strangers():
        if request.headers.get("Host") not in hosts:
            return error(f"This page answers to {' and '.join(sorted(hosts))} only.", 403)
        if "Origin" in request.headers and request.headers["Origin"] not in origins:
            return error("Another page may not ask for this.", 403)
        given = request.headers.get("X-Token", "").encode("latin-1", "replace")
        if request.method not in ("GET", "HEAD") and not hmac.compare_digest(given, token.encode()):
            return error("The token is missing or of another run. Load the page anew.", 403)
        return None

    @app.after_request
    def close_the_doors(response):
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response


def show(app, token):
    @app.get("/")
    def page():
        return (STATIC / "index.html").read_text().replace("__TOKEN__", token)

    @app.get("/stages")
    def stages():
        return answer(json.dumps(all_stages()))


def tell(app, scene):
    @app.get("/moments")
    def moments():
        if not scene.heed(request.args.get("page", ""), MOST_PAGES):
            return error(f"{MOST_PAGES} pages look on already. Close one of them.", 503)
        return answer(scene.recording.answer(request.args.get("after", 0, type=int)))

    @app.get("/recording")
    def recording():
        response = answer(scene.recording.whole(), "application/jsonl")
        response.headers["Content-Disposition"] = 'attachment; filename="recording.jsonl"'
        return response

    @app.post("/do")
    def do():
        wish = request.get_json(silent=True)
        try:
            if not isinstance(wish, dict):
                raise Refused("A wish is an object in JSON, and its Content-Type says so.")
            return answer(json.dumps({"done": scene.do(wish)}))
        except Refused as refused:
            return error(str(refused), 409)


def answer(text, kind="application/json"):
    return Response(text, mimetype=kind)


def error(sentence, status):
    return Response(json.dumps({"error": sentence}), status, mimetype="application/json")


def all_stages():
    """Each stage with the first line of its docstring; those of the series first."""
    ideas = {path.stem.removeprefix("webserver"):
             path.read_text().removeprefix('"""').partition("\n")[0]
             for path in PROJECT.glob("part?/webserver*.py")}
    return [{"name": name, "idea": ideas[name]}
            for name in sorted(ideas, key=lambda name: (name not in SERIES, name))]


app = create(os.environ)
