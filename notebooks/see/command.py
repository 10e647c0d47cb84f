"""make see: start a server and a page that shows it, open the page, and clean up at the end."""

import argparse
import os
import platform
import secrets
import shutil
import signal
import sys
import webbrowser

import lab
from see.broom import swept
from see.play import APPLICATION, Play, Refused, is_of_a_taken_port

PORT = 8889
TRIES = 1000  # ports from there on
PAGE_SERVER = ["3z", "--workers", "1", "--threads", "16", "--quiet", "--hang-timeout", "0"]


def main():
    options = read_options()
    run = secrets.token_hex(8)
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with swept(run), serve(options, run) as page:
            show(f"http://localhost:{page.port}", options)
            page.process.wait()
            sys.exit(f"The page's server has ended by itself.\n{page.stderr[-2000:]}".strip())
    except lab.ServerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the prompt comes on a line of its own


def show(address, options):
    name = options.own or f"stage {options.stage}"
    print(f"Watch {name} on {address} (Ctrl-C ends all of it)", flush=True)
    if options.open and has_screen():
        webbrowser.open(address)


def has_screen():
    """Where there is none, a browser in the terminal might open: nobody wants that."""
    return platform.system() == "Darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def read_options():
    parser = argparse.ArgumentParser("see", description=__doc__)
    add = parser.add_argument
    add("--stage", default="", help="such as 3d; 3d if there is no --server either")
    add("--server", dest="own", default="", help="a command of your own")
    add("--beside", default="", help="a second stage, beside the first")
    add("--delay", default="", help="seconds that a stage sleeps (default: 3)")
    add("--app", default=APPLICATION, help="what a WSGI stage serves (default: %(default)s)")
    add("--limits", action="store_true", help="256 descriptors and 400 processes, no more")
    add("--no-browser", dest="open", action="store_false", help="print the address only")
    options = parser.parse_args()
    options.delay = options.delay or "3"
    options.stage = options.stage or ("" if options.own else "3d")
    try:
        plays = [Play(options.stage, options.own, options.delay)]
        plays += [Play(stage) for stage in [options.beside] if stage]
    except Refused as refused:
        sys.exit(str(refused))
    for play in plays:
        if not shutil.which(play.command[0]):
            sys.exit(f"There is no program {play.command[0]!r} to start.")
    return options


def serve(options, run):
    """The page on our own last server, on the first port from PORT on that is free. The Server."""
    told = {"SEE_RUN": run, "SEE_TOKEN": secrets.token_hex(16), "SEE_STAGE": options.stage,
            "SEE_OWN": options.own, "SEE_BESIDE": options.beside, "SEE_DELAY": options.delay,
            "SEE_APP": options.app,
            "SEE_LIMITED": "1" if options.limits else "", "PYTHONPATH": python_path()}
    for port in filter(is_free, range(PORT, PORT + TRIES)):
        command = lab.stage_command(*PAGE_SERVER, "--bind", f"127.0.0.1:{port}", "see.web:app")
        try:
            return lab.start(command, port=port, honest=True, SEE_PORT=port, **told)
        except lab.ServerError as error:
            if not is_of_a_taken_port(error):
                raise
    raise lab.ServerError(f"All ports from {PORT} to {PORT + TRIES - 1} are taken. Free one.")


def python_path():
    """PYTHONPATH, and before it where our modules are."""
    folders = [str(lab.PROJECT / "notebooks"), os.environ.get("PYTHONPATH")]
    return os.pathsep.join(filter(None, folders))


def is_free(port):
    return not lab.listeners(port)
