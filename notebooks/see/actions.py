"""What the buttons do, each with the command that does the same in a terminal.

perform(scene, wish) is all that a page can ask for. A wish is a dictionary with an `action`, and
what that one needs; `server` is 0, 1 or "all" where the action is about servers.

    clients    kind: a name of KINDS; count
    hang up    all clients close their ends
    freeze     SIGSTOP to the first process, or to that of a `pid`
    go on      SIGCONT to all that are stopped
    kill       SIGKILL to a `pid`
    limits     on: whether they bind it; it is started anew
    delay      seconds; it is started anew
    restart    it is started anew
    stage      name: another takes its place; "" is the reader's own
    beside     name: a second server beside the first
    alone      the server of that number leaves
"""

import signal

from see import process
from see.play import LIMITS, Refused, seconds

MOST = 500  # clients that are sent at once
REQUEST = r"'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n'"
KINDS = {
    "one": ("one client", "curl localhost:{port}/hello"),
    "crowd": ("{count} clients at once",
              "for i in $(seq {count}); do curl -s localhost:{port}/hello & done; wait"),
    "held": ("{count} clients that hold on",
             "for i in $(seq {count}); do (exec 3<>/dev/tcp/localhost/{port}; printf "
             + REQUEST + " >&3; sleep 1000) & done"),
    "silent": ("a client that says nothing", "sleep 1000 | nc localhost {port}"),
    "slow": ("a client that sends byte by byte",
             "printf " + REQUEST + " | pv -qL 4 | nc localhost {port}"),
    "reset": ("a client that asks, and resets",
              "PYTHONPATH=notebooks .venv/bin/python -c 'import lab; one = lab.connect({port}); "
              "one.sendall(lab.clients.REQUEST); lab.reset(one)'")}


def perform(scene, wish):
    """Do it; a list of (server's name, words, command) of what was done. Raises Refused."""
    action = wish.get("action")
    if not isinstance(action, str):
        raise Refused(f"An action is a word, not {action!r}.")
    if action in CHANGES:
        with scene.changing():
            return CHANGES[action](scene, wish)
    if action in DEEDS:
        return [(watched.play.name, *DEEDS[action](watched, wish))
                for watched in chosen(scene, wish)]
    raise Refused(f"There is no action {action!r}.")


def chosen(scene, wish):
    """The servers that it is about."""
    server, all_of_them = wish.get("server", 0), list(scene.watched)
    if server == "all":
        return all_of_them
    return [all_of_them[place_of(scene, wish)]]


def place_of(scene, wish):
    place = wish.get("server", 0)
    if type(place) is not int or not 0 <= place < len(scene.watched):
        raise Refused(f"There is no server {place!r} on this page.")
    return place


def whole_number(wish, name, most):
    number = wish.get(name, 1)
    if type(number) is not int or not 1 <= number <= most:
        raise Refused(f"{name} is a whole number from 1 to {most}, not {number!r}.")
    return number


def send_clients(watched, wish):
    kind, count = wish.get("kind"), whole_number(wish, "count", MOST)
    if not isinstance(kind, str) or kind not in KINDS:
        raise Refused(f"There are no clients of the kind {kind!r}.")
    if not watched.listens and process.HAS_PROC:  # it might be somebody else who does
        raise Refused("The server does not listen on its port. Start it anew, or wait a moment.")
    sent = watched.crowd.send(kind, count)
    if not sent:
        raise Refused("So many clients are there already that no more are sent. Hang up first.")
    words, command = KINDS[kind]
    if kind in ("silent", "slow", "reset") and sent > 1:
        words = f"{sent} times {words}"
    return words.format(count=sent), command.format(count=sent, port=watched.port)


def hang_up(watched, wish):
    watched.crowd.hang_up()
    return "all clients hang up", "Ctrl-C, in the clients' terminals"


def send_signal(watched, wish, signum):
    """To a process of its family, and to nobody else."""
    pid = wish.get("pid", watched.pid)
    if type(pid) is not int or not process.send_signal(watched.pid, pid, signum):
        raise Refused(f"Process {pid!r} is none of this server's, or not any more.")
    return pid


def freeze(watched, wish):
    pid = send_signal(watched, wish, signal.SIGSTOP)
    return f"process {pid} is frozen", f"kill -STOP {pid}"


def go_on(watched, wish):
    stopped = [one["pid"] for one in watched.family.seen.values() if one["state"] == "stopped"]
    pids = [pid for pid in {*stopped, watched.pid}
            if process.send_signal(watched.pid, pid, signal.SIGCONT)]
    if not pids:
        raise Refused("There is no process that could go on.")
    return "it goes on", f"kill -CONT {' '.join(map(str, sorted(pids)))}"


def kill(watched, wish):
    pid = wish.get("pid")
    if type(pid) is not int:
        raise Refused(f"Which process is to be killed? {pid!r} is no PID.")
    seen = watched.family.seen.get(pid, {})
    was = "zombie" if seen.get("state") == "zombie" else "living"
    watched.family.killed[pid] = was  # beforehand, for somebody may look in the next moment
    try:
        send_signal(watched, wish, signal.SIGKILL)
    except Refused:
        del watched.family.killed[pid]
        raise
    return f"kill -9 for {'the zombie' if was == 'zombie' else 'process'} {pid}", f"kill -9 {pid}"


def limits(scene, wish):
    on = wish.get("on") is True
    words = f"limits on: {LIMITS['files']} descriptors, {LIMITS['processes']} processes"
    return start_anew(chosen(scene, wish), scene, words if on else "limits off", limited=on)


def delay(scene, wish):
    sleepers = [watched for watched in chosen(scene, wish) if watched.play.delay is not None]
    if not sleepers:
        raise Refused("This server does not sleep: it has no DELAY.")
    length = seconds(wish.get("seconds"))
    return start_anew(sleepers, scene, f"DELAY is {length:g} s now", delay=length)


def restart(scene, wish):
    return start_anew(chosen(scene, wish), scene, "started anew")


def stage(scene, wish):
    old, name = scene.watched[place_of(scene, wish)], wish.get("name")
    words = f"{name or 'your server'} instead of {old.play.name}"
    return start_anew([old], scene, words, stage=name)


def start_anew(these, scene, words, **changes):
    done = []
    for watched in these:
        play = watched.play.but(**changes)
        new = scene.put(play, scene.watched.index(watched))
        done.append((play.name, words, f"Ctrl-C, then: {play.in_a_terminal(new.port)}"))
    return done


def beside(scene, wish):
    if len(scene.watched) != 1:
        raise Refused("Two servers stand side by side already.")
    play = scene.watched[0].play.but(stage=wish.get("name"))
    watched = scene.put(play, 1)
    return [(play.name, "a second server, beside the first", play.in_a_terminal(watched.port))]


def alone(scene, wish):
    if len(scene.watched) == 1:
        raise Refused("One server stays.")
    watched = scene.watched[place_of(scene, wish)]
    scene.remove(watched)
    return [(watched.play.name, "it leaves the stage", "Ctrl-C")]


DEEDS = {"clients": send_clients, "hang up": hang_up, "freeze": freeze, "go on": go_on,
         "kill": kill}
CHANGES = {"limits": limits, "delay": delay, "restart": restart, "stage": stage, "beside": beside,
           "alone": alone}
