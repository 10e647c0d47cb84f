"""Claims 3.11 to 3.17: what happens to a server that does not close, and does not wait."""

import os
import signal
import subprocess
import sys

import pytest

import lab
from tests.helpers.scripts import linux_only, needs, output_of

CLIENT = [sys.executable, str(lab.PROJECT / "part3/client3.py")]


def run_clients(server, *arguments):
    """part3/client3.py against a server, in the background; a Popen."""
    return subprocess.Popen([*CLIENT, *arguments], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True,
                            env={**os.environ, "PORT": str(server.port)})


@needs("curl")
@pytest.mark.claim("3.11")
def test_curl_has_the_body_and_hangs(start_stage):
    server = start_stage("3d")
    with subprocess.Popen(["curl", "-sN", f"http://127.0.0.1:{server.port}/hello"],
                          stdout=subprocess.PIPE) as curl:
        assert curl.stdout.readline() == b"Hello, World!\n"
        with pytest.raises(subprocess.TimeoutExpired):
            curl.wait(1)
        server.stop()
        assert curl.wait(10) == 0, "the kernel closes the parent's copies when the parent ends"


@linux_only
@pytest.mark.claim("3.11")
def test_the_parent_holds_what_the_child_has_closed(start_stage):
    server = start_stage("3d", DELAY=0)
    with lab.connect(server.port) as client:
        client.sendall(lab.clients.REQUEST)
        assert lab.read_until(client, b"World!\n")
        assert lab.eventually(lambda: lab.zombies(server.pid)), "the child is gone"
        [end] = [end for end in lab.connections(server.port)
                 if end.foreign == client.getsockname()]
        assert end.state == "ESTABLISHED"
        assert [pid for pid, _ in lab.holders(end.inode, [server.pid])] == [server.pid]


@pytest.mark.claim("3.12")
def test_300_clients_on_256_descriptors(start_stage):
    server = start_stage("3d", files=256)
    with run_clients(server, "--max-clients", "300"):
        assert server.wait_until_dead(30) == 1
    assert "OSError: [Errno 24] Too many open files" in server.stderr


@pytest.mark.claim("3.12")
def test_as_many_clients_as_you_like_on_256_descriptors_if_the_parent_closes(start_stage):
    server = start_stage("3c", files=256)
    with run_clients(server, "--max-clients", "300") as clients:
        assert clients.wait(30) == 0
    assert server.exit_status is None


@needs("ps")
@pytest.mark.claim("3.13")
@pytest.mark.parametrize("name", ["3c", "3d"])
def test_a_zombie_for_each_client(name, start_stage):
    server = start_stage(name, DELAY=0)
    for _ in range(3):
        lab.ask(server.port, until=b"World!")
    assert lab.eventually(lambda: len(lab.zombies(server.pid)) == 3)
    shown = subprocess.run(["ps", "-o", "stat=,args=", "-p",
                            ",".join(str(child.pid) for child in lab.zombies(server.pid))],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(shown) == 3
    assert all(line.startswith("Z") and "<defunct>" in line for line in shown), shown


@pytest.mark.claim("3.14")
def test_kill_9_does_not_remove_a_zombie_but_its_parent_s_death_does(start_stage):
    server = start_stage("3c", DELAY=0)
    lab.ask(server.port)
    [zombie] = lab.eventually(lambda: lab.zombies(server.pid))
    os.kill(zombie.pid, signal.SIGKILL)
    assert not lab.eventually(lambda: lab.process(zombie.pid) is None, 0.5)
    assert lab.process(zombie.pid).state == "zombie"
    os.kill(server.pid, signal.SIGKILL)
    server.wait_until_dead()
    assert lab.eventually(lambda: lab.process(zombie.pid) is None, 20), "init did not reap it"


@pytest.mark.claim("3.14")
def test_its_parent_s_wait_removes_a_zombie():
    program = """
        import os
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is left as it is
        os.kill(pid, 0)  # a zombie still has its PID
        print(os.waitpid(pid, 0) == (pid, 0), end=" ")
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            print("gone")
    """
    if sys.platform == "darwin":
        pytest.skip("os.waitid is not there on macOS before Python 3.13")
    assert output_of(program) == "True gone"


@pytest.mark.claim("3.15")
@needs("bash")
def test_500_clients_on_400_processes(start_stage):
    try:
        server = start_stage("3d", processes=400)
    except lab.ServerError as error:
        pytest.skip(str(error))
    with run_clients(server, "--max-clients", "500"):
        assert server.wait_until_dead(30) == 1
    assert "BlockingIOError: [Errno 11]" in server.stderr or "[Errno 35]" in server.stderr
    assert "os.fork()" in server.stderr


@pytest.mark.claim("3.16")
def test_the_kernel_keeps_pid_status_and_use_of_a_zombie():
    program = """
        import os, time
        pid = os.fork()
        if pid == 0:
            while time.process_time() < 0.2:
                pass
            os._exit(42)
        time.sleep(0.5)  # by now it is a zombie
        ended, status, usage = os.wait4(pid, 0)
        busy = usage.ru_utime + usage.ru_stime
        print(ended == pid, os.waitstatus_to_exitcode(status), busy > 0.1)
    """
    assert output_of(program) == "True 42 True"


@linux_only
@pytest.mark.claim("3.16")
def test_a_zombie_has_no_memory_and_no_descriptors(start_stage):
    server = start_stage("3c", DELAY=0)
    lab.ask(server.port)
    [zombie] = lab.eventually(lambda: lab.zombies(server.pid))
    assert lab.descriptors(zombie.pid) == {}
    status = (lab.kernel.PROC / str(zombie.pid) / "status").read_text()
    assert "State:\tZ" in status
    assert "VmSize" not in status


@pytest.mark.claim("3.16")
@pytest.mark.parametrize(("ending", "flushed", "status"), [
    ("pass", True, 0),
    ("sys.exit(3)", True, 3),
    ("os._exit(3)", False, 3),
    ("os.abort()", False, -signal.SIGABRT),
    ("os.kill(os.getpid(), signal.SIGKILL)", False, -signal.SIGKILL),
], ids=["return", "exit", "_exit", "abort", "signal"])
def test_five_ways_to_end(ending, flushed, status):
    """exit runs the handlers and flushes the buffers; _exit, abort and a signal do neither."""
    child = f"""
import atexit, os, resource, signal, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
atexit.register(print, "handler")
sys.stdout.write("buffered ")
{ending}
"""
    program = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdout=subprocess.PIPE)
said = child.stdout.read().decode()
status = os.waitpid(child.pid, 0)[1]
child.returncode = status
print([said, os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status)])
"""
    assert output_of(program) == str(
        ["buffered handler\n" if flushed else "", status < 0, int(status)])


@pytest.mark.claim("3.17")
def test_an_orphan_is_adopted_and_is_no_zombie(start_stage):
    server = start_stage("3c", DELAY=60)
    lab.ask(server.port, until=b"World!")
    [child] = lab.children(server.pid)
    os.kill(server.pid, signal.SIGKILL)
    server.wait_until_dead()
    orphan = lab.eventually(lambda: (seen := lab.process(child.pid)).ppid != server.pid and seen)
    assert orphan.state != "zombie"
    assert orphan.ppid != server.pid
    assert lab.process(orphan.ppid), "init, or the nearest subreaper"
