"""make bench, from outside, with small figures: what it measures is never a test's verdict."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import costs
import lab
import load
import report
from contenders import PEERS, contenders
from scripts import linux_only, needs
from stages import STAGES

BENCH = [sys.executable, str(lab.PROJECT / "tests/bench.py")]
OURS = Path(sys.prefix)  # requirements.txt has installed Gunicorn and Waitress here
NO_INDEX = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1"}
ANY_TOOL = pytest.mark.skipif(not load.tools(), reason="neither wrk nor ab is installed")

WRK = """\
Running 1s test @ http://127.0.0.1:18587/hello
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.87ms  481.30us   3.89ms   55.95%
    Req/Sec    18.38k   216.99    18.71k    80.00%
  Latency Distribution
     50%  727.00us
     75%    1.28ms
     90%    1.54ms
     99%    1.87s
  18269 requests in 1.00s, 1.03MB read
  Socket errors: connect 0, read 9134, write 1, timeout 2
  Non-2xx or 3xx responses: 9134
Requests/sec:  18242.09
Transfer/sec:      1.03MB
"""
WRK_GOOD = re.sub(r"  Socket.*\n  Non.*\n", "", WRK)
AB = """\
Concurrency Level:      64
Time taken for tests:   1.000 seconds
Complete requests:      26247
Failed requests:        35000
   (Connect: 0, Receive: 8754, Length: 17492, Exceptions: 8754)
Non-2xx responses:      8755
Total transferred:      1033090 bytes
HTML transferred:       35020 bytes
Requests per second:    26245.77 [#/sec] (mean)
Time per request:       2.438 [ms] (mean)
Time per request:       0.038 [ms] (mean, across all concurrent requests)
"""
AB_TABLE = "Percentage served,Time in ms\n0,1.466\n49,2.444\n50,2.450\n99,3.766\n"

KEEPS_ALIVE = """
import asyncio, os

async def answer(reader, writer):
    while head := await reader.readline():
        print(head.decode().split()[1])
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\n\\r\\nHello!\\n")
        await writer.drain()
    writer.close()

async def main():
    await (await asyncio.start_server(answer, "127.0.0.1", os.environ["PORT"], backlog=500)
           ).serve_forever()

asyncio.run(main())
"""
BURNS = """
import os, socket, sys, time
listen_socket = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    connection, _ = listen_socket.accept()
    for _ in range(40):
        if os.fork() == 0:
            while time.process_time() < 0.005:
                pass
            os._exit(0)
    for _ in range(40 * ("wait" in sys.argv)):
        os.wait()
    connection.close()
"""


def bench(*arguments, **environment):
    """Run bench.py to its end; its CompletedProcess."""
    return subprocess.run([*BENCH, *map(str, arguments)], capture_output=True, text=True,
                          timeout=50, env={**os.environ, "COLUMNS": "200", **environment})


@needs("ab")
def test_it_writes_what_it_measured(folder):
    output = folder / "bench.json"
    ended = bench("--quick", "--only", "3g", "waitress", "--peers", OURS, "--output", output,
                  **NO_INDEX)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = json.loads(output.read_text())
    assert result["forks"]["3g"]["bare_loop"] > 0
    assert result["forks"]["3g"]["over_bare_loop"] > 0
    for name, mode in (("3g", "anew"), ("waitress", "anew"), ("waitress", "kept")):
        assert not result["left_out"]
        seen = result["servers"][name]
        assert seen["memory_mb"] > 1
        for what in ("requests", "per_second", "median_ms", "p99_ms", *["cpu_us"] * psutil.LINUX):
            assert seen[mode][what] > 0, f"{name}, {mode}: {what} is {seen[mode][what]}"
        assert seen[mode]["errors"] == 0
        assert f"{seen[mode]['per_second']:,.0f}" in ended.stdout, "the table shows it"
    assert "kept" not in result["servers"]["3g"], "3g keeps no connection"
    assert str(lab.PROJECT) not in output.read_text()
    assert {"cpu", "cores", "system", "python", "date", "memory"} < set(result["made"])

    shown = bench("--table", "--output", output).stdout
    assert shown.rstrip() == report.for_readme(result)
    assert f"| 3g | anew | {result['servers']['3g']['anew']['per_second']:,.0f} |" in shown


@ANY_TOOL
def test_a_peer_that_cannot_be_installed_is_left_out_by_name(folder):
    ended = bench("--quick", "--only", "3d", "bjoern", "--peers", folder / "peers",
                  "--output", folder / "bench.json", **NO_INDEX)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    reason = re.search(r"^bjoern is left out\. (.*)$", ended.stdout, re.MULTILINE)
    assert reason, ended.stdout
    assert reason[1].startswith("It cannot be installed: ")
    assert "libev" in reason[1], "what it needs is named"
    result = json.loads((folder / "bench.json").read_text())
    assert result["left_out"] == {"3d": contenders()["3d"].left_out, "bjoern": reason[1]}
    assert result["servers"] == {}


@ANY_TOOL
def test_a_server_that_does_not_start_is_left_out_by_name(folder):
    site = folder / "lib/python3/site-packages"
    for name in ("bjoern-3.2.2.dist-info", "bjoern"):  # said to be installed, and empty
        (site / name).mkdir(parents=True)
    (site / "bjoern-3.2.2.dist-info/METADATA").write_text("Name: bjoern\nVersion: 3.2.2\n")
    ended = bench("--quick", "--only", "bjoern", "--peers", folder)
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"^bjoern is left out\. It did not start: \w+Error: ", ended.stdout,
                     re.MULTILINE), ended.stdout
    assert str(lab.PROJECT) not in ended.stdout


def test_stages_that_hang_or_die_on_purpose_are_left_out():
    reasons = {name: one.left_out for name, one in contenders().items() if one.left_out}
    assert list(reasons) == ["3d", "3e"]
    assert "never sees the end" in reasons["3d"]
    assert "interrupts accept" in reasons["3e"]


def test_a_wrong_name_lists_those_there_are():
    ended = bench("--only", "3z")
    assert ended.returncode == 2
    assert "3z" in ended.stderr
    for name in [*STAGES, *[peer.name for peer in PEERS]]:
        assert f"'{name}'" in ended.stderr


def test_without_wrk_and_ab_it_says_where_to_get_them():
    ended = bench("--quick", "--only", "1", PATH="/nonexistent")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert "apache2-utils" in ended.stderr


def test_a_result_that_could_not_be_written_is_refused_at_the_start(folder):
    ended = bench("--quick", "--output", folder / "no" / "bench.json")
    assert ended.returncode == 2
    assert "there is no folder" in ended.stderr


def test_a_table_of_no_result_says_how_to_make_one(folder):
    ended = bench("--table", "--output", folder / "bench.json")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert "make bench" in ended.stderr


def name_of(process):
    """The name of a psutil.Process; empty if it has ended."""
    with suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@needs("ab")
def test_ctrl_c_leaves_no_process_behind(number):
    running = subprocess.Popen([*BENCH, "--only", "1"], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    family = []

    def under_load():
        family[:] = psutil.Process(running.pid).children(recursive=True)
        return "ab" in map(name_of, family) and len(family) > 2

    with running:
        assert lab.eventually(under_load, 20), f"It never put load on stage 1: {family}"
        running.send_signal(number)
        said = running.communicate(timeout=20)[0]
    assert running.returncode == 130
    assert "Stopped" in said
    assert "Traceback" not in said
    assert lab.eventually(lambda: not any(process.is_running() for process in family)), family


def test_a_command_that_takes_too_long_ends_with_all_it_started(folder):
    line = f"sleep 60 & echo $! > {folder / 'pid'}; wait"
    with pytest.raises(subprocess.TimeoutExpired):
        load.run(["sh", "-c", line], timeout=1)
    pid = int((folder / "pid").read_text())
    assert lab.eventually(lambda: name_of(psutil.Process(pid)) != "sleep"
                          if psutil.pid_exists(pid) else True), f"Process {pid} sleeps on."


def test_all_stages_and_peers_take_part():
    assert set(contenders()) == {*STAGES, "gunicorn-sync", "gunicorn-gthread", "waitress",
                                 "cheroot", "wsgiref", "bjoern", "uwsgi"}


def test_peers_that_the_tests_use_too_have_one_version():
    pinned = (lab.PROJECT / "requirements.txt").read_text()
    for peer in PEERS:
        package = peer.requirement.partition("==")[0]
        if package and f"\n{package}==" in pinned:
            assert f"\n{peer.requirement} " in pinned


def test_wrk_s_report_is_read():
    assert load.parse_wrk(WRK) == load.Load(18269, 18242.09, 0.727, 1870, 9134 + 1 + 2 + 9134)
    assert load.parse_wrk(WRK_GOOD).errors == 0


def test_ab_s_report_is_read():
    assert load.parse_ab(AB, AB_TABLE) == load.Load(26247, 26245.77, 2.45, 3.766, 35000)
    assert load.parse_ab(AB.replace("35000", "0").replace("Non-2xx", "2xx"), AB_TABLE).errors == 0


def test_errors_are_shown_beside_the_figure():
    cells = report.cells({"per_second": 1234.5, "median_ms": 1, "p99_ms": 2, "errors": 7,
                          "cpu_us": None})
    assert cells == ["1,234 (7 errors)", "1.00", "2.0", ""]


def test_ratios_compare_what_they_say():
    def seen(rate, cpu):
        return {"per_second": rate, "cpu_us": cpu}

    result = {
        "servers": {"3l": {"kept": seen(90, 12), "new_heads": seen(80, 14), "anew": seen(30, 40)},
                    "bjoern": {"kept": seen(120, 8), "new_heads": seen(120, 7),
                               "anew": seen(20, 30)},
                    "gunicorn-sync": {"anew": seen(4, 200)},
                    "waitress": {"kept": seen(3, 300), "anew": seen(5, 200)}},
        "idle": {"3l": {"connections": 10_000, "bytes_each": 2048, "beside_over_alone": 0.95}},
        "forks": {"3g": {"bare_loop": 2500, "over_bare_loop": 0.8}},
    }
    assert "for each of 10,000 idle connections" in "".join(report.ratios(result))
    found = [float(re.search(r": (\d+\.\d+)", line)[1]) for line in report.ratios(result)]
    assert found == [1.5, 2.0, 22.5, 1.5, 2.0, 0.95, 0.8]


@pytest.mark.parametrize(("name", "promise"), [("1", (False, False)), ("2", (False, True))])
def test_probe_sees_what_a_stage_promises(name, promise):
    with contenders()[name].start(OURS) as server:
        assert costs.probe(server.port) == promise


def test_probe_sees_that_a_connection_is_kept():
    with lab.start([sys.executable, "-c", KEEPS_ALIVE]) as server:
        assert costs.probe(server.port) == (True, True)


@linux_only
@pytest.mark.parametrize("way", ["wait", "leave a zombie"])
def test_the_cpu_time_of_children_counts(way):
    with lab.start([sys.executable, "-c", BURNS, way]) as server:
        before = lab.cpu_seconds(server.members())
        lab.ask(server.port)
        assert lab.eventually(lambda: not [child for child in lab.children(server.pid)
                                           if child.state != "zombie"])
        used = lab.cpu_seconds(server.members()) - before
    assert 0.18 < used < 0.5, f"40 children burnt 5 ms each, and were counted as {used:.3f} s."


@needs("wrk")
def test_new_heads_never_repeat():
    with lab.start([sys.executable, "-c", KEEPS_ALIVE]) as server:
        load.with_wrk(server.port, "new_heads", 1)
        paths = server.stdout.split()
    assert len(paths) > 100
    assert len(set(paths)) == len(paths)


def test_idle_connections_have_asked_once_and_stay():
    with lab.start([sys.executable, "-c", KEEPS_ALIVE], PYTHONUNBUFFERED=1) as server:
        with costs.idle_connections(server.port, 50):
            assert server.stdout.count("/hello") == 50
            before = lab.descriptor_count(server.pid)
        assert lab.eventually(lambda: lab.descriptor_count(server.pid) == before - 50)


def test_idle_connections_that_the_server_closed_are_no_idle_connections():
    with contenders()["2"].start(OURS) as server, \
            pytest.raises(load.CannotMeasure, match=r"closed \d of 3"), \
            costs.idle_connections(server.port, 3):
        pass


def test_a_server_that_dies_under_the_load_is_named_so():
    with contenders()["1"].start(OURS) as server:
        def kill(port):
            os.kill(server.pid, signal.SIGKILL)
            server.wait_until_dead()

        with pytest.raises(load.CannotMeasure, match="It died under the load"):
            costs.measure(server, kill)
