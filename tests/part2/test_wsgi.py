"""Claims 2.1 to 2.9: the interface between a server and an application, from either side.

Whatever holds for webserver2.py holds for the other servers that speak WSGI.
"""

import ast
import sys

import pytest

import lab
from tests.helpers.scripts import needs
from tests.spec.clients import UNREADABLE
from tests.spec.stages import STAGES
from tests.spec.wsgi import PROBE

APPLICATIONS = {
    "part2.wsgiapp:app": b"Hello world from a simple WSGI application!\n",
    "part2.flaskapp:app": b"Hello world from Flask!\n",
    "part2.pyramidapp:app": b"Hello world from Pyramid!\n",
    "part2.djangoapp:app": b"Hello world from Django!\n",
}
WSGI_STAGES = [stage for stage in STAGES.values() if stage.wsgi]
every_wsgi_stage = pytest.mark.parametrize("stage", WSGI_STAGES, ids=lambda stage: stage.name)
every_application = pytest.mark.parametrize("application", APPLICATIONS)


def get(server, path="/hello"):
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return lab.ask(server.port, head.encode())


def environ_of(answer):
    """The dictionary that apps:says_environ wrote, with the values as Python's repr."""
    return dict(line.split("=", 1) for line in answer.body.decode().splitlines())


@pytest.mark.claim("2.1")
@pytest.mark.claim("2.3")
@pytest.mark.claim("2.7")
@every_application
@every_wsgi_stage
def test_any_of_our_servers_runs_any_application(stage, application, start_stage):
    """The application's headers come first, then the server's own."""
    answer = get(start_stage(stage.name, application))
    assert answer.status == 200
    assert answer.body == APPLICATIONS[application]
    assert list(answer.headers)[:2] == ["content-type", "content-length"]
    assert answer.headers["content-type"].startswith("text/plain")
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert sorted(list(answer.headers)[2:]) == ["connection", "date", "server"]
    assert answer.headers["server"] == "WSGIServer"
    assert answer.headers["connection"] == "close"


@pytest.mark.claim("2.1")
@pytest.mark.claim("2.10")
@every_application
@pytest.mark.parametrize("command", [
    "-m gunicorn.app.wsgiapp --bind 127.0.0.1:{port} --log-level warning --no-control-socket",
    "-m waitress --listen 127.0.0.1:{port}",
], ids=["gunicorn", "waitress"])
def test_any_other_server_runs_any_application(command, application, servers):
    port = lab.free_port()
    arguments = command.format(port=port).split()
    servers.enter_context(lab.start([sys.executable, *arguments, application], port=port))
    assert lab.ask(port).body == APPLICATIONS[application]


@pytest.mark.claim("2.10")
@needs("nginx")
@needs("uwsgi")
def test_uwsgi_behind_nginx_runs_an_application(start_nginx, servers):
    uwsgi_port = lab.free_port()
    servers.enter_context(lab.start(
        f"uwsgi --plugin python3 --die-on-term --master --uwsgi-socket 127.0.0.1:{uwsgi_port} "
        "--module part2.wsgiapp:app", port=uwsgi_port))
    port = start_nginx(
        f"include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:{uwsgi_port};")
    answer = lab.ask(port)
    assert answer.body == APPLICATIONS["part2.wsgiapp:app"]
    assert answer.headers["server"].startswith("nginx")


@pytest.mark.claim("2.4")
@pytest.mark.parametrize("name", ["app", "AppClass", "app_object"])
@every_wsgi_stage
def test_application_may_be_a_function_or_a_class_or_an_object(stage, name, start_stage):
    server = start_stage(stage.name, f"part2.wsgiapp:{name}")
    assert [get(server).body for _ in range(2)] == [APPLICATIONS["part2.wsgiapp:app"]] * 2


@pytest.mark.claim("2.4")
def test_wsgiapp_needs_no_framework():
    source = (lab.PROJECT / "part2/wsgiapp.py").read_text()
    assert not [node for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Import | ast.ImportFrom)]


@pytest.mark.claim("2.5")
@every_wsgi_stage
def test_application_is_called_with_environ_and_start_response(stage, start_stage):
    server = start_stage(stage.name, "tests.apps.various:says_arguments")
    assert get(server).body in (b"['dict', 'function'] True", b"['dict', 'method'] True")


@pytest.mark.claim("2.5")
@pytest.mark.parametrize("name", ["returns_generator", "returns_tuple"])
@every_wsgi_stage
def test_any_iterable_of_bytes_is_a_body(stage, name, start_stage):
    server = start_stage(stage.name, f"tests.apps.various:{name}")
    assert lab.ask(server.port, b"GET /hello HTTP/1.0\r\n\r\n").body == b"one two"


@pytest.mark.claim("2.5")
@every_wsgi_stage
def test_status_and_headers_are_the_application_s(stage, start_stage):
    answer = get(start_stage(stage.name, "tests.apps.various:chooses_status"))
    assert answer.data.startswith(b"HTTP/1.1 418 I'm a teapot\r\n")
    assert answer.headers["x-kettle"] == "on"


@pytest.mark.claim("2.6")
@every_wsgi_stage
def test_environ_has_entries_from_the_request_the_server_and_wsgi(stage, start_stage):
    server = start_stage(stage.name, "tests.apps.various:says_environ")
    one = environ_of(get(server, "/one"))
    two = environ_of(lab.ask(
        server.port, b"PUT /two HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    changed = {name for name in one if one[name] != two[name] and " at 0x" not in one[name]}
    assert changed == {"REQUEST_METHOD", "PATH_INFO", "SERVER_PROTOCOL"}  # the request's
    assert (one["PATH_INFO"], two["REQUEST_METHOD"]) == ("'/one'", "'PUT'")
    assert one["SERVER_NAME"] == "'127.0.0.1'"
    assert one["SERVER_PORT"] == f"'{server.port}'"
    assert one["SCRIPT_NAME"] == "''"
    assert {name for name in one if name.startswith("wsgi.")} == {
        "wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.errors", "wsgi.multithread",
        "wsgi.multiprocess", "wsgi.run_once"}


@pytest.mark.claim("2.6")
@pytest.mark.parametrize("application", ["flaskapp", "pyramidapp", "djangoapp"])
def test_framework_finds_the_page_by_path_info(application, start_stage):
    server = start_stage("2", f"part2.{application}:app")
    assert get(server, "/hello").status == 200
    assert get(server, "/bye").status == 404


@pytest.mark.claim("2.8")
@pytest.mark.parametrize("stage", [STAGES[name] for name in ("2", "2b", "3h")],
                         ids=lambda stage: stage.name)
def test_one_request_takes_seven_steps_in_this_order(stage, start_stage):
    server = start_stage(stage.name, "tests.apps.various:prints")
    assert get(server).body == b"done"
    steps = ["the application is loaded", "Serving HTTP", "> GET /hello HTTP/1.1",
             "the application is called", "< HTTP/1.1 200 OK"]
    places = [server.stdout.find(step) for step in steps]
    assert places == sorted(places)
    assert -1 not in places, server.stdout


@pytest.mark.claim("2.8")
def test_the_steps_are_functions_in_this_order():
    tree = ast.parse((lab.PROJECT / "part2/webserver2.py").read_text())
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    steps = ["load_application", "read_request", "parse_request", "build_environ",
             "call_application", "assemble_response"]
    assert [name for name in functions if name in steps] == steps


def test_request_and_response_are_printed_as_curl_does(start_stage):
    server = start_stage("2", "part2.wsgiapp:app")
    get(server)
    assert lab.eventually(lambda: "\n< \n" in server.stdout)
    _, _, shown = server.stdout.partition("...\n")
    assert shown.splitlines() == [
        "> GET /hello HTTP/1.1",
        "> Host: localhost",
        "> Connection: close",
        "> ",
        "< HTTP/1.1 200 OK",
        "< Content-Type: text/plain",
        "< Content-Length: 44",
        "< Date: Thu, 01 Jan 1970 00:00:00 GMT",
        "< Server: WSGIServer",
        "< Connection: close",
        "< ",
    ]


@pytest.mark.claim("2.9")
@pytest.mark.parametrize("left_out", [
    "QUERY_STRING", "PATH_INFO", "HTTP_X_PROBE", "wsgi.input", "write()", "close()"])
def test_stage_2_leaves_out(left_out, start_stage):
    server = start_stage("2", PROBE + "app")
    request = b"POST /a%20b?c=d%20e HTTP/1.1\r\nX-Probe: 1\r\nContent-Length: 4\r\n\r\nbody"
    body = lab.ask(server.port, request).body.decode()
    if left_out == "write()":
        assert "written first" not in body
    elif left_out == "close()":
        get(server)  # the server has done with the first by now
        assert "the iterable was closed" not in server.stderr
    else:
        assert left_out in body.removeprefix("missing: ").rstrip(".").split(", ")


@pytest.mark.claim("2.9")
def test_stage_2_does_not_mind_a_second_start_response(start_stage):
    """PEP 3333 makes it an error unless exc_info comes with it."""
    assert get(start_stage("2", "tests.apps.various:starts_twice")).body == b"started twice"


@pytest.mark.claim("2.9")
def test_stage_2_sends_no_true_date(start_stage):
    answer = get(start_stage("2", "part2.wsgiapp:app"))
    assert answer.headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.mark.claim("2.9")
def test_stage_2_answers_head_with_a_body(start_stage):
    server = start_stage("2", "part2.wsgiapp:app")
    assert lab.ask(server.port, b"HEAD / HTTP/1.1\r\n\r\n").body != b""


@pytest.mark.parametrize("name", UNREADABLE)
@every_wsgi_stage
def test_request_that_cannot_be_read_is_refused(stage, name, start_stage):
    server = start_stage(stage.name, "part2.wsgiapp:app")
    answer = lab.ask(server.port, UNREADABLE[name], hang_up=True)
    due = (400, 414, 431) if "KB" in name else (400,)
    if "KB" in name and "A refusal may be lost" in stage.docstring():
        due += (None,)
    assert answer.status in due, f"Sent {name}, got {answer.data[:200]!r} ({answer.error})."
    assert not answer.status or b": " in answer.body, f"It says no more than {answer.body!r}."
    assert get(server).status == 200
    assert server.stderr == ""


@every_wsgi_stage
def test_client_that_says_nothing_gets_no_answer(stage, start_stage):
    """A browser opens connections in advance, and closes some of them unused."""
    server = start_stage(stage.name, "part2.wsgiapp:app")
    answer = lab.ask(server.port, b"", hang_up=True)
    assert (answer.data, answer.error) == (b"", None)
    assert get(server).status == 200


def test_application_that_never_calls_start_response_is_told_so(start_stage):
    server = start_stage("2", "tests.apps.various:never_starts")
    assert get(server).status == 500
    assert "the application did not call start_response" in server.stderr


@pytest.mark.parametrize("name", [
    "raises", "exits", "never_starts", "returns_text", "sends_no_latin1"])
@every_wsgi_stage
def test_application_that_fails_gets_500_and_a_traceback_and_the_server_goes_on(
        stage, name, start_stage):
    server = start_stage(stage.name, f"tests.apps.various:{name}")
    answer = get(server, "/fail")
    assert answer.status == 500
    assert b"Traceback" not in answer.body
    assert lab.eventually(lambda: "Traceback (most recent call last)" in server.stderr)
    assert get(server).status == (200 if name in ("raises", "exits") else 500)
