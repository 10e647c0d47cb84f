"""Claims 4.6 to 4.9: SIGPIPE, other ways to have no zombies, restarted calls, two-step handlers."""

import socket
import subprocess
import sys

import pytest

import lab
from tests.helpers.scripts import needs, output_of, run


@pytest.mark.claim("4.6")
def test_first_send_to_a_client_that_left_goes_through_and_the_second_fails():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        connection, _ = listener.accept()
    with connection:
        client.close()
        assert connection.send(b"first") == 5

        def fails():
            try:
                connection.send(b"second")
            except BrokenPipeError:
                return True
            return False

        assert lab.eventually(fails)


WRITES_TO_NOBODY = """
    import os, signal
    {}
    out, into = os.pipe()
    os.close(out)
    try:
        os.write(into, b"to nobody")
    except BrokenPipeError:
        print("BrokenPipeError")
"""


@pytest.mark.claim("4.6")
def test_sigpipe_kills_unless_it_is_ignored_as_python_does():
    assert output_of(WRITES_TO_NOBODY.format("")) == "BrokenPipeError"
    killed = run(WRITES_TO_NOBODY.format("signal.signal(signal.SIGPIPE, signal.SIG_DFL)"))
    assert (killed.returncode, killed.stdout, killed.stderr) == (-13, "", "")


def changed_3c(servers, old, new, **options):
    """3c with a line changed, started."""
    source = (lab.PROJECT / "part3/webserver3c.py").read_text()
    assert source.count(old) == 1
    server = lab.start([sys.executable, "-c", source.replace(old, new)], **options)
    return servers.enter_context(server)


@pytest.mark.claim("4.7")
def test_who_ignores_sigchld_has_no_zombies(servers):
    server = changed_3c(servers, "\n    serve_forever(", """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    serve_forever(""", DELAY=0.2)
    answers = lab.ask_at_once(server.port, 64)
    assert [answer.status for answer in answers] == [200] * 64
    assert lab.eventually(lambda: not lab.children(server.pid))


@pytest.mark.claim("4.7")
def test_who_ignores_sigchld_never_learns_a_status():
    said = output_of("""
        import os, signal, subprocess, sys
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print(subprocess.run([sys.executable, "-c", "import sys; sys.exit(7)"]).returncode)
        child = os.fork()
        if child == 0:
            os._exit(7)
        try:
            os.waitpid(child, 0)
        except ChildProcessError:
            print("nothing is known of it")
    """)
    assert said.splitlines() == ["0", "nothing is known of it"]


@pytest.mark.claim("4.7")
def test_a_double_fork_leaves_no_zombie_and_no_child(servers):
    """The grandchild serves, and its parent is not the server."""
    server = changed_3c(servers, "if pid == 0:", """if pid == 0 and os.fork():
            os._exit(0)
        if pid > 0:
            os.wait()
        if pid == 0:""", DELAY=60)
    assert lab.ask(server.port, until=b"World!").status == 200
    assert lab.eventually(lambda: not lab.children(server.pid))
    assert lab.eventually(lambda: len(server.members()) == 2)
    assert lab.ask(server.port, until=b"World!").status == 200, "nobody waits for the first one"


def output_of_c(folder, program):
    """What a C program prints."""
    subprocess.run(["cc", "-o", folder / "program", "-x", "c", "-"], input=program, text=True,
                   check=True, stderr=subprocess.DEVNULL)
    return subprocess.run([folder / "program"], capture_output=True, text=True, timeout=30,
                          check=True).stdout


@pytest.mark.claim("4.7")
@needs("cc")
def test_with_sa_nocldwait_the_signal_comes_and_no_status(folder):
    assert output_of_c(folder, r"""
        #include <errno.h>
        #include <signal.h>
        #include <stdio.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static volatile sig_atomic_t came;
        static void handler(int number) { came = 1; }
        int main(void) {
            struct sigaction kept = {.sa_handler = handler};
            kept.sa_flags = SA_NOCLDWAIT | SA_RESTART;
            sigaction(SIGCHLD, &kept, NULL);
            if (fork() == 0) _exit(7);
            int got = wait(NULL);
            int error = errno;
            while (!came) usleep(1000);
            printf("%d %s", got, error == ECHILD ? "ECHILD" : "another error");
        }
    """) == "-1 ECHILD"


READS_A_BYTE = r"""
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static int ends[2], told[2];
static void handler(int number) { write(told[1], "x", 1); }
int main(void) {
    char byte;
    pipe(ends);
    pipe(told);
    if (fork() == 0) {
        read(told[0], &byte, 1);
        usleep(200000);
        write(ends[1], "x", 1);
        _exit(0);
    }
    SET_UP
    ualarm(200000, 0);
    long got = read(ends[0], &byte, 1);
    printf("%ld%s", got, got < 0 && errno == EINTR ? " EINTR" : "");
}
"""


@pytest.mark.claim("4.8")
@needs("cc")
@pytest.mark.parametrize(("set_up", "result"), [
    ("signal(SIGALRM, handler);", "1"),
    ("struct sigaction plain = {.sa_handler = handler}; sigaction(SIGALRM, &plain, NULL);",
     "-1 EINTR"),
    ("struct sigaction again = {.sa_handler = handler, .sa_flags = SA_RESTART}; "
     "sigaction(SIGALRM, &again, NULL);", "1"),
], ids=["signal", "sigaction", "sigaction with SA_RESTART"])
def test_signal_restarts_a_read_and_sigaction_does_not_unless_told_to(set_up, result, folder):
    """The handler itself lets the byte be written, so that the signal comes first."""
    assert output_of_c(folder, READS_A_BYTE.replace("SET_UP", set_up)) == result


@pytest.mark.claim("4.9")
def test_a_handler_in_python_waits_for_the_end_of_an_instruction_and_c_does_not():
    """The C handler writes to the wakeup descriptor, the sum being under way. A child reads."""
    said = output_of("""
        import os, signal, time
        out, into = os.pipe()
        os.set_blocking(into, False)
        if os.fork() == 0:
            os.read(out, 1)
            os.write(1, b"byte ")
            os._exit(0)
        handled = []
        signal.set_wakeup_fd(into)
        signal.signal(signal.SIGALRM, lambda signum, frame: handled.append(time.monotonic()))
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        sum(range(60_000_000))
        end = time.monotonic()
        os.wait()
        print("late" if handled[0] - start > 0.9 * (end - start) > 0.09 else "at once")
    """)
    assert said == "byte late"


@pytest.mark.claim("4.9")
def test_a_byte_of_the_self_pipe_is_still_there_when_the_signal_is_gone():
    said = output_of("""
        import os, select, signal, time
        handled = []
        signal.signal(signal.SIGUSR1, lambda signum, frame: handled.append(signum))
        out, into = os.pipe()
        os.set_blocking(into, False)
        for wakeup, watched in [(-1, []), (into, [out])]:
            signal.set_wakeup_fd(wakeup)
            os.kill(os.getpid(), signal.SIGUSR1)
            print(len(handled), len(select.select(watched, [], [], 0.2)[0]))
    """)
    assert said.splitlines() == ["1 0", "2 1"]
