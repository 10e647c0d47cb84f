"""make see: start a server and a page that shows it, open the page, and clean up at the end."""

import argparse
import os
import secrets
import shutil
import signal
import sys
import webbrowser

import lab
from see.broom import swept
from see.play import Play, Refused

PORT = 8889
THREADS = 16
LAST = "3z"


def main():
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    run = secrets.token_hex(8)
    try:
        with swept(run), serve(options, run) as page:
            address = f"http://localhost:{page.port}"
            print(f"Watch {options.own or 'stage ' + options.stage} on {address}  "
                  "(Ctrl-C ends all of it)", flush=True)
            if options.open:
                webbrowser.open(address)
            page.process.wait()
            sys.exit(f"The page has ended by itself.\n{page.stderr[-2000:]}")
    except lab.ServerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print()


def read_options():
    parser = argparse.ArgumentParser("see", description=__doc__)
    parser.add_argument("--stage", default="", help="such as 3d")
    parser.add_argument("--server", dest="own", default="", help="a command of your own")
    parser.add_argument("--delay", default="3", help="seconds that a stage sleeps (default: 3)")
    parser.add_argument("--no-browser", dest="open", action="store_false",
                        help="print the address only")
    options = parser.parse_args()
    if not options.stage and not options.own:
        options.stage = "3d"
    try:
        play = Play(options.stage, options.own, options.delay)
    except Refused as refused:
        sys.exit(str(refused))
    if not shutil.which(play.command[0], path=os.environ.get("PATH")):
        sys.exit(f"There is no program {play.command[0]!r} to start.")
    return options


def serve(options, run):
    """The page's server, on the first port that is free from PORT on."""
    for port in range(PORT, PORT + 1000):
        if lab.listeners(port):
            continue
        command = lab.stage_command(LAST, "--workers", "1", "--threads", str(THREADS), "--quiet",
                                    "--hang-timeout", "0", "--bind", f"127.0.0.1:{port}",
                                    "see.web:app")
        try:
            return lab.start(command, port=port, honest=True, PYTHONPATH=(
                str(lab.PROJECT / "notebooks")), SEE_RUN=run, SEE_PORT=port,
                SEE_TOKEN=secrets.token_hex(16), SEE_STAGE=options.stage, SEE_OWN=options.own,
                SEE_DELAY=options.delay)
        except lab.ServerError as error:
            if "already in use" not in str(error) and "is taken" not in str(error):
                raise
    raise lab.ServerError(f"There is no free port from {PORT} on.")


main()
