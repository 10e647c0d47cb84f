"""A Flask application. Its `app` is a WSGI application: any WSGI server can call it."""

from flask import Flask, Response

app = Flask("flaskapp")


@app.route("/hello")
def hello():
    return Response("Hello world from Flask!\n", mimetype="text/plain")
