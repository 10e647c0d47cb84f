"""What a moment shows, said in words of the chapters; only what is so.

Each of these takes one of the `servers` of a moment, and the time, and has a sentence or None.
"""

SETTLED = 0.25  # seconds after which a state is no mere passing one
LOOPS = ("epoll_wait", "select", "poll", "select or poll")
DIED_OF = {  # the end of its last words
    "Interrupted system call": "SIGCHLD interrupted its accept (EINTR), and it died of that.",
    "Too many open files": "It died: there was no descriptor left for one more (EMFILE).",
    "Resource temporarily unavailable": "It died: fork found no process left to be had (EAGAIN)."}


def sentences(server, now):
    """All that hold, the most telling first."""
    return [sentence for tell in ALL if (sentence := tell(server, now))]


def how_it_ended(server, now):
    status = server["exit_status"]
    if server["running"] or status is None or server["trouble"]:
        return None
    for words, sentence in DIED_OF.items():
        if words in server["last_words"]:
            return sentence
    if status < 0:
        return f"It was killed by signal {-status}."
    return f"It has ended with status {status}."


def orphans(server, now):
    left = living(server, "child") + living(server, "worker")
    if server["running"] or server["exit_status"] is None or not left:
        return None
    if any(one["ppid"] == server["pid"] for one in left):
        return None
    return (f"{some(left, 'child lives', 'children live')} on without a parent: "
            f"process {left[0]['ppid']} has adopted them, and will wait for them.")


def frozen(server, now):
    if not server["frozen"]:
        return None
    return ("The server is stopped (SIGSTOP) and runs no line of its code. "
            "The kernel goes on: clients come into the queue, children end.")


def one_bit(server, now):
    dead = zombies(server)
    if len(dead) < 2 or "SIGCHLD" not in parent(server).get("pending", ()):
        return None
    return (f"{len(dead)} children have ended, and SIGCHLD is pending once: "
            "the kernel keeps one bit for it, not a count.")


def never_waited(server, now):
    dead = len(zombies(server))
    if not they_stay(server, now) or server["counts"]["reaped"]:
        return None
    these = "this is a zombie" if dead == 1 else f"these {dead} are zombies"
    return f"The parent never waited: {these}."


def waited_too_little(server, now):
    reaped = server["counts"]["reaped"]
    if not they_stay(server, now) or not reaped:
        return None
    why = ""
    if "SIGCHLD" in parent(server).get("caught", ()):
        why = " Signals are not queued: one SIGCHLD may stand for many deaths."
    stay = some(zombies(server), "zombie stays", "zombies stay")
    return f"The parent has waited for {reaped}, and {stay}.{why}"


def they_stay(server, now):
    """Whether there are zombies, and the parent sleeps: no signal waits that would wake it."""
    me = parent(server)
    if not server["running"] or me.get("state") != "sleeping" or "SIGCHLD" in me["pending"]:
        return False
    return any(now - one["ended"] > SETTLED for one in zombies(server))


def killed_in_vain(server, now):
    dead = [one for one in zombies(server) if one["killed"] == "zombie"]
    if not dead:
        return None
    return (f"kill -9 did nothing to process {dead[0]['pid']}: it is dead already. "
            "Only its parent's wait removes a zombie.")


def none_stays(server, now):
    reaped = server["counts"]["reaped"]
    if reaped < 2 or zombies(server) or living(server, "child") or living(server, "worker"):
        return None
    return f"The parent has waited for each of the {reaped} children that ended: no zombie stays."


def kept_copies(server, now):
    """Connections that the parent holds, and the child that served them has ended."""
    me = server["pid"]
    kept = [one for one in server["connections"]
            if one["held_by"] == [me] and one["state"] == "ESTABLISHED"]
    dead = len(zombies(server)) + server["counts"]["reaped"]
    if not kept or not dead or living(server, "worker"):
        return None
    those = some(range(min(len(kept), dead)), "connection", "connections")
    return (f"The parent keeps its copy of {those} whose child has ended: "
            "no FIN goes out, and the client waits for the end.")


def shared(server, now):
    me = server["pid"]
    grown = {one["pid"] for one in living(server, "child") if now - one["born"] > SETTLED}
    both = [one for one in server["connections"] if me in one["held_by"]
            and grown & set(one["held_by"])]
    if not both:
        return None
    return (f"Parent and child hold the same {some(both, 'connection', 'connections')}: "
            "closed is what both have closed.")


def asleep(server, now):
    queue, me = server["queue"], parent(server)
    if not queue or not queue["waiting"] or me.get("call") != "sleep":
        return None
    those = some(range(queue["waiting"]), "client waits", "clients wait")
    return (f"The server sleeps. {those} in the queue: connected, for the kernel did that, and not "
            "yet accepted.")


def outside(server, now):
    queue = server["queue"]
    if not queue or not queue["outside"]:
        return None
    those = some(range(queue["outside"]), "client stands", "clients stand")
    return f"The queue is full. {those} outside: the kernel lets nobody in."


def child_for_each(server, now):
    working = [one for one in living(server, "child")
               if any(held["kind"] == "connection" for held in one["descriptors"])]
    if len(working) < 2 or not server["running"]:
        return None
    return f"A process for each client: {len(working)} children are at work at the same time."


def replaced(server, now):
    dead = [one for one in server["processes"] if one["killed"] and one["was"] == "worker"]
    new = [one for one in living(server, "worker") if dead and one["born"] >= dead[-1]["born"]
           and one["born"] >= dead[-1]["ended"] - SETTLED]
    if not new:
        return None
    return (f"Worker {dead[-1]['pid']} was killed. The parent waited for it, and forked "
            f"{new[-1]['pid']} in its place.")


def workers(server, now):
    found = living(server, "worker")
    inodes = [{held["inode"] for held in one["descriptors"] if held["kind"] == "listening"}
              for one in found]
    if len(found) < 2 or not set.intersection(*inodes):
        return None
    waits = {one["call"] for one in found}
    if waits == {"accept"}:
        return f"{len(found)} workers, all in accept on one listening socket: a client wakes one."
    return f"{len(found)} workers share one listening socket: who accepts a client, has it."


def loop(server, now):
    alive = [one for one in server["processes"] if one["role"] not in ("gone",)]
    held = [one for one in server["connections"] if server["pid"] in one["held_by"]]
    if len(alive) != 1 or len(held) < 2 or alive[0]["call"] not in LOOPS:
        return None
    if alive[0]["threads"] != 1:
        return None
    return f"One process, one thread, {len(held)} connections: it waits for all of them at once."


def threads(server, now):
    me = parent(server)
    held = [one for one in server["connections"] if server["pid"] in one["held_by"]]
    if me.get("threads", 0) < 3 or len(held) < 2:
        return None
    return (f"{me['threads']} threads in one process: they share its memory, "
            f"and its {server['counts']['descriptors']} descriptors.")


def nearly_full(server, now):
    used, most = server["counts"]["descriptors"], server["limits"]["files"]
    if not server["limited"] or used < 0.9 * most:
        return None
    return f"{used} of {most} descriptors are taken."


def parent(server):
    """The first process; {} if it is gone."""
    return next((one for one in server["processes"] if one["role"] == "parent"), {})


def living(server, role):
    return [one for one in server["processes"] if one["role"] == role and one["state"] != "zombie"]


def zombies(server):
    return [one for one in server["processes"] if one["state"] == "zombie"]


def some(things, one, several):
    return f"{len(things)} {one if len(things) == 1 else several}"


ALL = [how_it_ended, orphans, frozen, one_bit, never_waited, waited_too_little, killed_in_vain,
       outside, asleep, kept_copies, shared, nearly_full, replaced, workers, loop, threads,
       child_for_each, none_stays]
