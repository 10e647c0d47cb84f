"""The servers that people use, and ours beside them, each with the same application.

    start("Gunicorn", "part2.flaskapp:app")    a Server, with the place where it is to be asked
"""

import shlex
import sys
import sysconfig

from lab.kernel import CannotSee, eventually
from lab.production import kept_folder, program
from lab.server import Server, ServerError, free_port

COMMANDS = {
    "Gunicorn": "python -m gunicorn.app.wsgiapp --no-control-socket --bind {tcp} {application}",
    "Waitress": "python -m waitress --listen {tcp} {application}",
    "uWSGI": "uwsgi --plugin python3 --pythonpath {packages} --master --die-on-term "
             "--uwsgi-socket {tcp} --module {application}",
    "ours": "python part3/webserver3z.py --workers 1 --bind {tcp} {application}",
    "ours, by a file": "python part3/webserver3z.py --workers 1 --bind {unix} {application}",
}

# What part3/nginx.conf says to a server that speaks uwsgi: the entries of environ, one by one.
SPEAKS_UWSGI = {"proxy_pass http://instances;": """uwsgi_pass instances;
            uwsgi_param REQUEST_METHOD $request_method;
            uwsgi_param PATH_INFO $document_uri;
            uwsgi_param QUERY_STRING $query_string;
            uwsgi_param CONTENT_TYPE $content_type;
            uwsgi_param CONTENT_LENGTH $content_length;
            uwsgi_param SERVER_PROTOCOL $server_protocol;
            uwsgi_param SERVER_NAME $server_name;
            uwsgi_param SERVER_PORT $server_port;"""}


class Peer(Server):
    """One of COMMANDS with an application; `place` is where it listens, as nginx writes it."""

    def __init__(self, name, application):
        self.kept = kept_folder()
        port = free_port()
        places = {"tcp": f"127.0.0.1:{port}", "unix": f"unix:{self.kept.path}/socket"}
        self.place = places["unix" if "{unix}" in COMMANDS[name] else "tcp"]
        words = shlex.split(COMMANDS[name].format(
            application=application, packages=sysconfig.get_path("purelib"), **places))
        try:
            words[0] = sys.executable if words[0] == "python" else program(words[0])
            super().__init__(words, port=port)
        except BaseException:
            self.kept.remove()
            raise

    def stop(self):
        super().stop()
        self.kept.remove()


def start(name, application, within=15):
    """Start one of COMMANDS, wait until it listens, return it; use it as a context manager.

    Raises CannotSee if there is no such server here, or if it cannot run Python.
    """
    peer = Peer(name, application)
    try:
        if peer.place.startswith("unix:"):
            eventually(lambda: "Serving HTTP" in peer.stdout, within)
            return peer
        return peer.wait_until_ready(within)
    except BaseException as error:
        peer.stop()
        if name == "uWSGI" and isinstance(error, ServerError):
            raise CannotSee("uwsgi does not start here with its plugin for Python. On Debian and "
                            "Ubuntu: apt install uwsgi-plugin-python3") from None
        raise
