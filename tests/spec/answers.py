"""The first server, step by step: it takes a client in, reads, answers, ends, and goes on."""

import select
import time

import lab
from tests.spec.response import Malformed, parse
from tests.spec.subject import (
    BODY,
    TRACEBACK,
    Fault,
    but_for_a_signal,
    doing,
    holdings,
    must_be_alive,
    must_not_show_a_traceback,
    what_came,
)

HELLO = b"Hello, World!\n"  # what a stage without applications answers
MOMENT = 0.1  # seconds between two things that a client does
QUIET = 0.3  # seconds after which nothing more is awaited of an answer that looks complete
MUCH = 1 << 20  # bytes of an answer after which nobody reads on
BROWSER = (  # as long as what a browser sends
    b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: Mozilla/5.0 (X11; "
    b"Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\nAccept: text/html,application/xhtml+x"
    b"ml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzi"
    b"p, deflate, br, zstd\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n"
    b"Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\n\r\n")


def accepts(subject):
    """A connection belongs to a process when accept has returned it; before, to none."""
    with subject.start() as server, lab.connect(server.port) as client:
        here = client.getsockname()[1]

        def accepted():
            return is_readable(client, 0) or any(
                end.inode for end in lab.connections(server.port) if end.foreign[1] == here)

        if not lab.eventually(accepted, subject.patience):
            must_be_alive(server, "a client that connected")
            raise Fault("A client connected.", "The server takes the connection: accept returns.",
                        f"{subject.patience:g} s later the connection still waits in the queue of "
                        f"the listening socket. {doing(server)}")


def reads(subject):
    """The client waits before it asks: who does not wait for it answers too early, or is gone."""
    with subject.start() as server, lab.connect(server.port, timeout=subject.patience) as client:
        if is_readable(client, QUIET):
            must_be_alive(server, "a client that connected, and had not asked yet")
            must_not_show_a_traceback(server, "a client that connected, and had not asked yet")
            raise Fault("A client connected, and did not ask yet.",
                        "The server waits in recv until the request comes.",
                        f"It {did_too_early(client)}. {NOT_READ}")
        client.sendall(BROWSER)
        if not is_readable(client, subject.patience) and (left := lab.unread(server.port)):
            raise Fault(*ASKED_AS_A_BROWSER, f"{left} bytes of them are still unread "
                        f"{subject.patience:g} s later. {doing(server)}")
        if was_reset(client) and not cuts_off_who_says_little(server, subject):
            raise Fault(*ASKED_AS_A_BROWSER, f"It closed the connection with part of the request "
                        f"unread. {NOT_READ}")


NOT_READ = ("What a server closes without having read it the kernel resets (RST), and the client "
            "may lose its answer.")
ASKED_AS_A_BROWSER = (f"A client asked with the {len(BROWSER)} bytes that a browser sends.",
                      "The server reads all of them.")


def is_readable(client, within):
    """Whether something has come: bytes, the end, or a reset."""
    poll = select.poll()  # select knows no descriptor above 1023, and the clients are many
    poll.register(client, select.POLLIN)
    return bool(poll.poll(1000 * within))


def did_too_early(client):
    try:
        data = client.recv(65536)
    except ConnectionError:
        return "reset the connection"
    return f"sent {data[:60]!r} before it was asked" if data else "closed the connection at once"


def was_reset(client):
    """Whether the answer ends with a reset; one comes at once, or not at all."""
    client.settimeout(2 * QUIET)
    try:
        for _ in range(MUCH // 65536):
            if not client.recv(65536):
                break
    except ConnectionResetError:
        return True
    except TimeoutError:
        pass
    return False


def cuts_off_who_says_little(server, subject):
    """Whether it resets in any case; ends_the_connection asks about that."""
    with lab.connect(server.port, timeout=subject.patience) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return is_readable(client, subject.patience) and was_reset(client)


def answers(subject):
    """One client, who is in no hurry, and takes the answer by the letter."""
    with subject.start() as server:
        body = None if subject.arguments else HELLO  # an application has its own
        answer = slow_client(server, body, subject.patience)
        if lab.eventually(lambda: TRACEBACK.search(server.stderr), 0.2):
            lab.eventually(lambda: server.exit_status is not None, 0.5)  # by then it is all there
        with but_for_a_signal():
            must_not_show_a_traceback(server, "a client that asked for /hello")
        wrong = fault_in(answer, body)
        if not wrong:
            return
        must_be_alive(server, "a client that asked for /hello")
        raise Fault("A client asked for /hello.",
                    "HTTP/1.1 200 OK, an empty line, and the body; lines end with \\r\\n.",
                    f"{wrong} {doing(server) if not answer.data else ''}".strip())


def slow_client(server, body, patience):
    """The Answer to a client that waits a moment before it asks, and before it reads. Where the
    end does not come, it leaves when nothing follows the body."""
    answer, start = lab.Answer(), time.monotonic()
    try:
        with lab.connect(server.port, server.host, patience) as client:
            answer.connected = time.monotonic() - start
            time.sleep(MOMENT)
            lab.clients.send(client, lab.clients.REQUEST)
            time.sleep(MOMENT)
            while len(answer.data) < MUCH:
                client.settimeout(patience if fault_in(answer, body) else QUIET)
                block = client.recv(65536)
                if not block:
                    answer.end = time.monotonic() - start
                    break
                answer.data += block
    except OSError as error:
        answer.error = error
    return answer


def fault_in(answer, body):
    """A sentence on what is wrong with an Answer; "" if nothing is.

    body   what it ought to say, a final newline aside; None if anything
    """
    if not answer.data:
        return what_came(answer) or "Nothing came yet."
    if len(answer.data) >= MUCH:
        return (f"It does not end: {len(answer.data)} bytes came, and began with "
                f"{answer.data[:80]!r}.")
    try:
        response = parse(answer.data)
    except Malformed as wrong:
        return f"{wrong} {what_came(answer)}"
    if response.status != 200:
        return f"Its status is {response.status}. {what_came(answer)}"
    if response.lacks:
        return f"{response.lacks} {what_came(answer)}"
    if body is not None and response.body not in (body, body.rstrip(b"\n")):
        return f"The body is {response.body[:200]!r}, and not {body!r}. {what_came(answer)}"
    return ""


def goes_on(subject):
    """Three clients, one after the other."""
    with subject.start() as server, but_for_a_signal():
        for number in range(1, 4):
            answer = lab.ask(server.port, timeout=subject.patience, until=BODY)
            if answer.status == 200:
                continue
            lab.eventually(lambda: server.exit_status is not None, 0.5)
            must_be_alive(server, "a client that asked for /hello")
            must_not_show_a_traceback(server, "a client that asked for /hello")
            raise Fault(f"Three clients asked for /hello, one after the other; this is number "
                        f"{number}.", "Each of them is answered.",
                        f"{what_came(answer)} {doing(server)}")


def ends_the_connection(subject):
    """With FIN; a reset may take away what the client has not read yet."""
    with subject.start() as server:
        answer = lab.ask(server.port, timeout=subject.patience)
        if answer.end is not None:
            return
        reset = isinstance(answer.error, ConnectionError)
        raise Fault("A client asked, and read until the end.",
                    "The end comes: FIN goes out when the last copy of the connection closes.",
                    f"{what_came(answer)} {RESET if reset else holdings(server)}")


RESET = "Something was left unread when the server closed, or it asked for that (SO_LINGER)."
