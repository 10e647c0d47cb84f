"""Claims 3.18 to 3.24: SIGCHLD, the system calls that it interrupts, and how to reap them all."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

import lab
from tests.helpers.scripts import linux_only, needs, output_of
from tests.spec.subject import freeze


def client3(server, *arguments):
    """Run part3/client3.py against a server to its end."""
    return subprocess.run([sys.executable, str(lab.PROJECT / "part3/client3.py"), *arguments],
                          capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PORT": str(server.port)})


@pytest.mark.claim("3.18")
def test_a_plain_wait_blocks_and_sigchld_comes_by_itself():
    program = """
        import os, signal, time
        def child():
            pid = os.fork()
            if pid == 0:
                time.sleep(0.3)
                os._exit(0)
        start = time.monotonic()
        child()
        os.wait()
        print("blocked" if time.monotonic() - start >= 0.3 else "did not block", end=", ")
        came = []
        signal.signal(signal.SIGCHLD, lambda signum, frame: came.append(os.wait()))
        child()
        print(len(came), end=" then ")
        signal.pause()
        print(len(came))
    """
    assert output_of(program) == "blocked, 0 then 1"


@pytest.mark.claim("3.18")
def test_the_server_serves_while_its_children_are_asleep_and_reaps_them_after(start_stage):
    server = start_stage("3g", DELAY=0.5)
    answers = lab.ask_at_once(server.port, 3)
    assert max(answer.end for answer in answers) < 3 * 0.5
    assert lab.eventually(lambda: server.stdout.count("Reaped child") == 3), server.stdout


@pytest.mark.claim("3.19")
def test_3e_dies_of_eintr_after_its_first_client(start_stage):
    server = start_stage("3e", DELAY=0.2)
    assert lab.ask(server.port).body == b"Hello, World!\n"
    assert server.wait_until_dead() == 1
    assert server.stderr.rstrip().endswith("InterruptedError: [Errno 4] Interrupted system call")
    assert server.stdout.count("Reaped child") == 1


@pytest.mark.claim("3.19")
def test_pythons_own_accept_hides_eintr():
    """The same signal, in the same call: the handler runs, and accept goes on (PEP 475)."""
    program = """
        import os, signal, socket
        def reap(signum, frame):
            os.wait()
            print("handled while accept waited", flush=True)
            if os.fork() == 0:
                socket.create_connection(address)
                os._exit(0)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            address = listener.getsockname()
            signal.signal(signal.SIGCHLD, reap)
            if os.fork() == 0:
                os._exit(0)
            listener.accept()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            print("accept returned a connection")
    """
    assert "handled while accept waited\naccept returned a connection" in output_of(program)


@pytest.mark.claim("3.20")
def test_3f_lives_through_many_children_one_after_the_other(start_stage):
    server = start_stage("3f", DELAY=0.05)
    for number in range(1, 6):
        assert lab.ask(server.port).status == 200
        assert lab.eventually(
            lambda number=number: server.stdout.count("Reaped child") == number), server.stdout
    assert server.stderr == ""


@pytest.mark.claim("3.20")
@needs("strace")
def test_3f_calls_accept_again_after_eintr(folder, servers):
    trace = folder / "trace"
    server = servers.enter_context(lab.start(
        ["strace", "-e", "trace=accept,accept4", "-o", str(trace), *lab.stage_command("3f")],
        DELAY=0.2))
    assert lab.ask(server.port).status == 200
    assert lab.eventually(lambda: "SIGCHLD" in trace.read_text())
    assert lab.ask(server.port).status == 200
    before, _, after = trace.read_text().partition("--- SIGCHLD")
    assert "ERESTARTSYS" in before.splitlines()[-1]
    assert "accept" in after


@linux_only
@pytest.mark.claim("3.21")
def test_one_pending_signal_stands_for_128_children(start_stage):
    server = start_stage("3f", DELAY=0)
    with ExitStack() as stack:
        clients = [stack.enter_context(lab.connect(server.port)) for _ in range(128)]
        assert lab.eventually(lambda: len(lab.children(server.pid)) == 128)
        freeze(server.pid)
        for client in clients:
            client.sendall(lab.clients.REQUEST)
        assert lab.eventually(lambda: len(lab.zombies(server.pid)) == 128)
        assert lab.pending_signals(server.pid) == {signal.SIGCHLD}
        os.kill(server.pid, signal.SIGCONT)
        assert lab.eventually(lambda: len(lab.zombies(server.pid)) == 127)
    assert server.stdout.count("Reaped child") == 1


@pytest.mark.claim("3.21")
def test_a_storm_leaves_zombies_in_3f(start_stage):
    """128 clients at once. What a storm does is chance, so up to five of them."""
    server = start_stage("3f", DELAY=0)
    for _ in range(5):
        assert client3(server, "--max-clients", "128").returncode == 0
        lab.eventually(lambda: not [child for child in lab.children(server.pid)
                                    if child.state != "zombie"])
        if lab.zombies(server.pid):
            return
    pytest.fail("Five storms of 128 clients left no zombie: 3f seems to have learnt to reap.")


@pytest.mark.claim("3.21")
def test_a_stopped_child_makes_the_one_wait_reaper_block_and_die(start_stage):
    """SIGCHLD also tells that a child was stopped; then wait waits for its end."""
    server = start_stage("3f", DELAY=60)
    lab.ask(server.port, until=b"World!")
    [child] = lab.children(server.pid)
    freeze(child.pid)
    assert lab.ask(server.port, timeout=1).status is None
    os.kill(child.pid, signal.SIGKILL)  # a second SIGCHLD, for the same child
    assert server.wait_until_dead() == 1
    assert "ChildProcessError: [Errno 10]" in server.stderr


@pytest.mark.claim("3.22")
def test_a_stopped_child_does_not_make_3g_block(start_stage):
    server = start_stage("3g", DELAY=60)
    lab.ask(server.port, until=b"World!")
    [child] = lab.children(server.pid)
    freeze(child.pid)
    assert lab.ask(server.port, until=b"World!").status == 200


@pytest.mark.claim("3.22")
def test_a_storm_leaves_no_zombie_in_3g(start_stage):
    server = start_stage("3g", DELAY=0.1)  # so that the last ones end when accept waits again
    for storm in (1, 2, 3):
        assert client3(server, "--max-clients", "128").returncode == 0
        assert lab.eventually(lambda: not lab.children(server.pid)), lab.children(server.pid)
        assert server.stdout.count("Reaped child") == 128 * storm
    assert server.stderr == ""


SLOW_ACCEPT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <time.h>

static void wait_a_while(void) {
    struct timespec rest = {1, 500000000};
    while (nanosleep(&rest, &rest)) ;
}

int accept(int fd, struct sockaddr *address, socklen_t *length) {
    int (*accept)() = dlsym(RTLD_NEXT, "accept");
    wait_a_while();
    return accept(fd, address, length);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    int (*accept4)() = dlsym(RTLD_NEXT, "accept4");
    wait_a_while();
    return accept4(fd, address, length, flags);
}
"""


@pytest.fixture
def slow_accept(folder):
    """A library to preload: its accept waits a while before it goes to the kernel, so that the
    instant before it falls asleep is long."""
    library = folder / "slow_accept.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), "-x", "c", "-", "-ldl"],
                   input=SLOW_ACCEPT, text=True, check=True)
    return library


@linux_only
@needs("cc")
@pytest.mark.claim("3.18")
def test_sigterm_just_before_accept_waits_for_the_next_client(slow_accept, start_stage):
    """It has a handler in 3h; that client is answered."""
    server = start_stage("3h", "part2.wsgiapp:app", LD_PRELOAD=slow_accept)
    assert lab.ask(server.port).status == 200
    server.process.terminate()
    assert not lab.eventually(lambda: server.exit_status is not None, 2.5)
    assert lab.ask(server.port).status == 200
    assert server.wait_until_dead() == 0


@linux_only
@needs("cc")
@pytest.mark.claim("3.22")
def test_a_child_that_ends_just_before_accept_is_reaped_with_the_next_client(
        slow_accept, start_stage):
    server = start_stage("3g", DELAY=0.1, LD_PRELOAD=slow_accept)
    assert lab.ask(server.port).status == 200
    assert lab.eventually(lambda: lab.zombies(server.pid))
    assert not lab.eventually(lambda: not lab.zombies(server.pid), 2)
    assert lab.ask(server.port).status == 200
    assert lab.eventually(lambda: server.stdout.count("Reaped child") >= 1)


@pytest.mark.claim("3.23")
def test_what_waitpid_says_in_each_case():
    program = """
        import os, signal
        def ask(options):
            pid, status = os.waitpid(-1, options)
            return "0" if pid == 0 else "the child, " + (
                "stopped" if os.WIFSTOPPED(status) else
                "continued" if os.WIFCONTINUED(status) else
                str(os.waitstatus_to_exitcode(status)))
        child = os.fork()
        if child == 0:
            while True:
                signal.pause()
        print("WNOHANG:", ask(os.WNOHANG))
        os.kill(child, signal.SIGSTOP)
        print("WUNTRACED:", ask(os.WUNTRACED))
        print("WNOHANG:", ask(os.WNOHANG))
        os.kill(child, signal.SIGCONT)
        print("WCONTINUED:", ask(os.WCONTINUED))
        os.kill(child, signal.SIGKILL)
        print("0:", ask(0))
        try:
            ask(os.WNOHANG)
        except ChildProcessError:
            print("ChildProcessError")
    """
    assert output_of(program).splitlines() == [
        "WNOHANG: 0", "WUNTRACED: the child, stopped", "WNOHANG: 0",
        "WCONTINUED: the child, continued", "0: the child, -9", "ChildProcessError"]


PRINTS_IN_A_HANDLER = """
    import os, signal, sys, time
    out = open("/dev/null", "w")
    def say(signum, frame):
        {say}
    signal.signal(signal.SIGALRM, say)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    deadline = time.monotonic() + {seconds}
    found = "no collision"
    try:
        while time.monotonic() < deadline:
            print("in the program", file=out, flush=True)
    except RuntimeError as error:
        found = error
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(found)
"""


@pytest.mark.claim("3.24")
def test_print_in_a_handler_collides_with_a_print_in_progress():
    said = output_of(PRINTS_IN_A_HANDLER.format(
        say='print("in the handler", file=out, flush=True)', seconds=20))
    assert said.startswith("reentrant call inside")


@pytest.mark.claim("3.24")
def test_os_write_in_a_handler_does_not_collide():
    said = output_of(PRINTS_IN_A_HANDLER.format(
        say='os.write(out.fileno(), b"in the handler")', seconds=2))
    assert said == "no collision"
