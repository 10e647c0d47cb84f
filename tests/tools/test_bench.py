"""make bench, from outside, with small figures: what it measures is never a test's verdict."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

import lab
from tests.bench import costs, load, tables
from tests.bench.contenders import (
    COMPLETE,
    LAST,
    PEERS,
    SLEEPING,
    THREADED,
    Contender,
    contenders,
    usual,
    with_threads,
)
from tests.bench.keeping import Kept
from tests.bench.measuring import Bench
from tests.helpers.scripts import linux_only, needs
from tests.spec.stages import STAGES

pytestmark = pytest.mark.thorough

BENCH = [sys.executable, "-m", "tests.bench"]
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
    assert shown.rstrip() == tables.full(result)
    assert shown == output.with_suffix(".md").read_text()
    assert bench("--readme", "--output", output).stdout.rstrip() == tables.for_readme(result)
    assert not output.with_suffix(".unfinished").exists(), "nothing is left to go on with"
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
    reasons = {name: contenders()[name].left_out for name in STAGES if contenders()[name].left_out}
    assert list(reasons) == ["3d", "3e"]
    assert "never sees the end" in reasons["3d"]
    assert "interrupts accept" in reasons["3e"]


def test_a_wrong_name_lists_those_there_are():
    ended = bench("--only", "9z")
    assert ended.returncode == 2
    assert "9z" in ended.stderr
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


def test_figures_of_short_and_long_rounds_do_not_mix(folder):
    output = folder / "bench.json"
    output.write_text(json.dumps({"made": {"rounds": 3, "seconds": 2}}))
    ended = bench("--quick", "--only", "1", "--output", output)
    assert ended.returncode == 2
    assert "shorter or longer rounds" in " ".join(ended.stderr.split())


@needs("ab")
def test_the_others_figures_stay_as_they_are(folder):
    output = folder / "bench.json"
    arguments = ["--quick", "--output", output, "--peers", OURS, "--only"]
    bench(*arguments, "3a", "3g")
    before = json.loads(output.read_text())
    ended = bench(*arguments, "3a")
    assert ended.returncode == 0, ended.stderr
    after = json.loads(output.read_text())
    assert list(after["servers"]) == ["3a", "3g"]
    assert after["servers"]["3g"] == before["servers"]["3g"]
    assert after["forks"] == before["forks"]
    assert after["servers"]["3a"] != before["servers"]["3a"], "it was measured anew"
    assert not re.search("^3g ", ended.stdout, re.MULTILINE), "the table shows who was asked for"


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
def test_ctrl_c_leaves_no_process_behind(folder, number):
    running = subprocess.Popen([*BENCH, "--only", "1", "--output", folder / "bench.json"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
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


@needs("ab")
def test_an_interrupted_run_goes_on_where_it_stopped(folder):
    output = folder / "bench.json"
    command = ["--quick", "--only", "3a", "1", "--output", output]
    with subprocess.Popen([*BENCH, *command], stdout=subprocess.DEVNULL) as running:
        unfinished = output.with_suffix(".unfinished")
        assert lab.eventually(unfinished.exists, 20), "It kept nothing of its first visit."
        running.send_signal(signal.SIGINT)
    left = json.loads(unfinished.read_text())
    kept = left["seen"]
    assert list(kept) == ["3a"]
    ended = bench(*command)
    assert "with 1 of its visits done" in ended.stdout, ended.stdout + ended.stderr
    servers = json.loads(output.read_text())["servers"]
    assert list(servers) == ["3a", "1"]
    seen = kept["3a"]["visits"]["round 1"]["modes"]["anew"]
    assert servers["3a"]["anew"]["requests"] == seen["requests"], "3a was measured once"

    unfinished.write_text(json.dumps({**left, "asked": {}}))
    assert "Going on" not in bench(*command).stdout, "another run's figures are of no use"
    unfinished.write_text(json.dumps(left))
    assert "Going on" not in bench(*command, "--fresh").stdout


def test_a_server_that_was_changed_is_measured_anew(folder):
    changed, same = contenders()["3a"], Contender("peer", ["a-peer"], "peer==1.0")
    kept = Kept(folder / "kept", {"rounds": 3})
    for one in (changed, same):
        kept.add(one, "round 1", {"figure": 7})

    def taken_over(*chosen, asked=3):
        later = Kept(folder / "kept", {"rounds": asked})
        return later.take_over(chosen), list(later.seen)

    assert taken_over(changed, same) == (2, ["3a", "peer"])
    assert taken_over(changed, same, asked=1) == (0, [])
    assert taken_over(same) == (1, ["peer"])
    newer = Contender("peer", ["a-peer"], "peer==1.1")
    assert taken_over(changed, newer) == (1, ["3a"])
    edited = Contender("3a", [*changed.command[:1], "part3/webserver3b.py"])
    assert taken_over(edited, same) == (1, ["peer"])


def test_a_fingerprint_is_of_the_file_s_text(monkeypatch, folder):
    stage = STAGES["3a"]
    before = contenders()["3a"].fingerprint()
    (folder / "part3").mkdir()
    (folder / "part3/webserver3a.py").write_text(stage.source() + "# and a line\n")
    monkeypatch.setattr(lab, "PROJECT", folder)
    assert contenders()["3a"].fingerprint() != before


def test_a_file_that_is_none_of_ours_is_begun_anew(folder):
    (folder / "kept").write_text("{")
    assert Kept(folder / "kept", {}).take_over([]) == 0


def test_a_command_that_takes_too_long_ends_with_all_it_started(folder):
    line = f"sleep 60 & echo $! > {folder / 'pid'}; wait"
    with pytest.raises(subprocess.TimeoutExpired):
        load.run(["sh", "-c", line], timeout=1)
    pid = int((folder / "pid").read_text())
    assert lab.eventually(lambda: name_of(psutil.Process(pid)) != "sleep"
                          if psutil.pid_exists(pid) else True), f"Process {pid} sleeps on."


def test_all_stages_and_peers_take_part():
    assert set(contenders()) == {
        *STAGES, THREADED, "gunicorn-sync", "gunicorn-gthread", "gunicorn-gthread-4", "waitress",
        "waitress-1", "cheroot", "wsgiref", "bjoern", "uwsgi"}


def test_of_the_complete_servers_and_the_last_track_one_step_each_is_usual():
    stages = [name for name in usual() if name in STAGES and STAGES[name].wsgi]
    assert stages == ["2", COMPLETE, "3h", LAST]
    assert {name for name, stage in STAGES.items() if not stage.wsgi} < set(usual())
    assert set(contenders()) - set(STAGES) < set(usual())


def test_the_last_stage_without_threads_is_left_out_by_name():
    reason = contenders()[THREADED].left_out
    assert reason == ("" if '"--threads"' in STAGES[LAST].source()
                      else f"{LAST} has no --threads.")


def test_a_stage_that_has_threads_gets_them(folder):
    file = folder / "stage.py"
    file.write_text('add("--workers")\nadd("--threads")\n')
    one = with_threads(replace(STAGES[LAST], file=str(file)), 64, SLEEPING)
    assert one.left_out == ""
    assert one.command[1:] == [str(file), "--workers", "1", "--quiet", "--threads", "64", SLEEPING]


def test_rounds_rotate_and_what_is_done_once_comes_last():
    chosen = [contenders()[name] for name in ("1", LAST, THREADED)]
    plan, tools = {"rounds": 3}, {"wrk": "4", "ab": "2"}
    steps = [(step.visit, step.one.name)
             for step in Bench(chosen, plan, tools, OURS, None, None).steps()]
    assert [name for visit, name in steps if visit == "round 1"] == ["1", LAST, THREADED]
    assert [name for visit, name in steps if visit == "round 2"] == [LAST, THREADED, "1"]
    assert steps[9:] == [("idle connections", LAST), ("asleep", THREADED)]


def test_the_report_names_every_setting_of_the_peers():
    named = {name for names in tables.PYTHON_PEERS.values() for name in names}
    assert named | {"wsgiref", "bjoern", "uwsgi"} == {peer.name for peer in PEERS}
    assert set(tables.FOUR_THREADS) < named


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
    cells = tables.cells({"per_second": 1234.5, "median_ms": 1, "p99_ms": 2, "errors": 7,
                          "cpu_us": None})
    assert cells == ["1,234 (7 errors)", "1.00", "2.0", ""]


def seen(rate, cpu):
    return {"per_second": rate, "cpu_us": cpu}


RESULT = {
    "made": {"last": "3x", "memory": "PSS", "cpu": "a processor", "cores": 2, "system": "Linux",
             "python": "3.11", "date": "today"},
    "servers": {
        name: {"memory_mb": 9.5, **modes} for name, modes in {
            "3x": {"kept": seen(90, 12), "new_heads": seen(80, 14), "anew": seen(30, 40)},
            "3x-threads": {"kept": seen(36, 20), "anew": seen(20, 60)},
            "bjoern": {"kept": seen(120, 8), "new_heads": seen(120, 7), "anew": seen(20, 32)},
            "gunicorn-sync": {"anew": seen(4, 200)},
            "gunicorn-gthread-4": {"kept": seen(6, 300), "anew": seen(3, 300)},
            "waitress": {"kept": seen(3, 300), "anew": seen(5, 200)},
            "waitress-1": {"kept": seen(8, 300), "anew": seen(10, 100)}}.items()},
    "left_out": {},
    "idle": {"3x": {"connections": 90_000, "wanted": 100_000, "limited_by": "memory is full",
                    "workers": 6, "came_in_seconds": 12.3, "bytes_each": 2048,
                    "beside_over_alone": 0.95}},
    "asleep": {"3x-threads": {"over_ideal": 0.94}},
    "forks": {"3g": {"bare_loop": 2500, "over_bare_loop": 0.8}},
}


def test_ratios_compare_what_they_say():
    sentences = tables.ratios(RESULT)
    figures = [re.search(r"[^\d](\d+\.\d+)[^\d]", sentence)[1] for sentence in sentences]
    assert figures == ["1.50", "2.00", "1.25", "9.0", "6.0", "0.94", "2.00", "0.95", "0.80"]
    assert "waitress-1" in sentences[3], "the best of all settings, however it is asked"
    assert "gunicorn-gthread-4" in sentences[4], "the better of those with four threads"
    assert "90,000 idle connections to 3x over 6 workers" in sentences[6]
    assert "in after 12 s" in sentences[6]
    assert tables.left_out(RESULT) == [
        "3x had 90,000 of 100,000 idle connections: memory is full."]


def test_ratios_of_what_was_not_measured_are_left_out():
    bare = {**RESULT, "servers": {"3x": RESULT["servers"]["3x"]}, "idle": {}, "asleep": {},
            "forks": {}}
    assert tables.ratios(bare) == []


def test_the_readme_gets_the_lines_that_matter():
    *sentences, empty, machine = tables.for_readme(RESULT).splitlines()
    assert sentences == [
        "- On connections that stay open it answers about 90 requests a second; "
        "gunicorn-gthread-4 6, bjoern 120.",
        "- On the same, where no two requests have the same head, it answers about 80 requests a "
        "second; bjoern 120.",
        "- With a connection made anew for each request it answers about 30 requests a second; "
        "gunicorn-sync 4, bjoern 20.",
        "- With one worker it takes 10 MB of memory; gunicorn-gthread-4 10, bjoern 10.",
        "- Each of 90,000 idle connections, over 6 workers, takes 2.0 KiB, and beside them it "
        "answers 95% of what it answers without them.",
        "- With 64 threads, and 64 clients of an application that sleeps for 50 ms, it answers "
        "94% of what can be answered.",
    ]
    assert machine.startswith("a processor, 2 cores, Linux")


def test_the_readme_gets_no_line_on_what_was_not_measured():
    alone = {**RESULT, "servers": {"3x": {"kept": seen(90, 12), "memory_mb": None}}, "idle": {},
             "asleep": {}}
    assert tables.for_readme(alone).splitlines()[0] == (
        "- On connections that stay open it answers about 90 requests a second.")
    assert len(tables.for_readme(alone).splitlines()) == 3


@pytest.mark.parametrize(("figure", "words"), [(90_469, "90,000"), (156_216.2, "160,000"),
                                               (5_746, "5,700"), (7, "7")])
def test_a_figure_of_one_machine_is_given_roughly(figure, words):
    assert tables.about(figure) == words


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


def test_idle_connections_have_asked_once_and_stay(monkeypatch):
    monkeypatch.setattr(costs, "PER_ADDRESS", 20)
    with lab.start([sys.executable, "-c", KEEPS_ALIVE], PYTHONUNBUFFERED=1) as server:
        with costs.idle_connections(server.port, 50) as (came, why):
            assert (came, why) == (50, "")
            assert server.stdout.count("/hello") == 50
            before = lab.descriptor_count(server.pid)
            sources = {found.foreign[0] for found in lab.connections(server.port)
                       if found.local[1] == server.port and found.state == "ESTABLISHED"}
        assert lab.eventually(lambda: lab.descriptor_count(server.pid) == before - 50)
    if psutil.LINUX:
        assert sources == {f"127.0.0.{number}" for number in (2, 3, 4)}, "20 from each"


def test_idle_connections_that_the_server_closed_are_no_idle_connections():
    with contenders()["2"].start(OURS) as server, \
            pytest.raises(load.CannotMeasure, match=r"closed \d of 3"), \
            costs.idle_connections(server.port, 3):
        pass


def test_idle_connections_that_find_no_room_are_not_counted(monkeypatch):
    monkeypatch.setattr(costs, "PATIENCE", 1)
    command = [sys.executable, "-c", KEEPS_ALIVE]
    with lab.start(command, files=30) as server, \
            costs.idle_connections(server.port, 50) as (came, why):
        assert 10 < came < 30
        assert why == "no answer within 1 s"


def test_no_process_of_idle_clients_outlives_its_block():
    with lab.start([sys.executable, "-c", KEEPS_ALIVE]) as server:
        with costs.idle_connections(server.port, 3):
            crowds = [one for one in psutil.Process().children() if "idle.py" in str(one.cmdline())]
            assert crowds
        assert not any(one.is_running() for one in crowds)


def test_room_for_idle_connections_is_what_the_limits_leave(monkeypatch):
    available = psutil.virtual_memory()._replace(available=1 << 40)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: available)
    if psutil.LINUX:
        assert costs.room(500, 20_000, 16) == (500, 1, "")
        assert costs.room(50_000, 20_000, 16)[1:] == (3, ""), "17,936 each, at most"
        count, workers, why = costs.room(50_000, 20_000, 1)
        assert (count, workers) == (17_936, 1)
        assert "20,000 files" in why
    starved = available._replace(available=costs.BYTES_FOR_BOTH_ENDS * 300)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: starved)
    assert costs.room(500, 20_000, 16) == (300, 1, "there is no memory for more")


def test_open_files_are_as_before_when_all_is_done():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    with costs.open_files(before + 10) as granted:
        assert granted >= before
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before


@needs("wrk")
def test_the_ideal_of_an_application_that_sleeps_is_one_answer_in_50_ms_for_each_client():
    with lab.start([sys.executable, "-c", KEEPS_ALIVE]) as server:
        seen = costs.measure_asleep(server, 1)
    assert seen["over_ideal"] == pytest.approx(seen["per_second"] / 1280)


def test_the_sleeping_application_sleeps():
    command = [sys.executable, STAGES["2"].file, SLEEPING]
    with lab.start(command) as server:
        answer = lab.ask(server.port)
    assert (answer.status, answer.body) == (200, b"Good morning!\n")
    assert answer.first_byte > 0.05


def test_a_server_that_dies_under_the_load_is_named_so():
    with contenders()["1"].start(OURS) as server:
        def kill(port):
            os.kill(server.pid, signal.SIGKILL)
            server.wait_until_dead()

        with pytest.raises(load.CannotMeasure, match="It died under the load"):
            costs.measure(server, kill)
