"""More than one instance behind one nginx: who is asked, who is not any more, what is lost."""

import itertools
import os
import signal
import subprocess
import sys
from collections import Counter

import psutil
import pytest

import lab
from lab import production
from lab.production import Load, addresses, place
from tests.helpers.scripts import needs

pytestmark = pytest.mark.thorough

PATH = "tests.apps.behind:says_path"
IMPATIENT = {"proxy_connect_timeout 2s;": "proxy_connect_timeout 1s;",
             "proxy_read_timeout 60s;": "proxy_read_timeout 1s;"}
NUMBERS = itertools.count(1)
LEAST = {"# least_conn; ": "least_conn;   "}


def shares(visits):
    """{instance: how many of these visits it answered}."""
    return Counter(visit.instances[-1] for visit in visits)


def visits_to(nginx, requests, **options):
    """What the access log says of so many requests, made now. Fails if one of them is lost."""
    path = f"/{next(NUMBERS)}"
    with Load(nginx.port, requests, path=path, **options) as load:
        pass
    assert not load.lost, load.lost[:3]

    def logged():
        found = [visit for visit in nginx.visits() if visit.request.split()[1] == path]
        return found if len(found) == requests else None
    return lab.eventually(logged)


@pytest.fixture
def start_instances(start_instance):
    """start_instances(application, count): so many, on addresses of their own where there are."""
    def start_instances(application, count, **options):
        return [start_instance(application, "--quiet", at=address, **options)
                for address in addresses(count)]
    return start_instances


def kill(server):
    """As a machine ends whose power fails, but that its kernel says so."""
    os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture
def machines(servers):
    """machines(count): hosts of their own, until the test ends. Skips it where there are none."""
    def machines(count):
        try:
            return servers.enter_context(production.machines(count))
        except lab.CannotSee as why:
            pytest.skip(str(why))
    return machines


def test_instances_take_turns(start_instances, start_nginx):
    instances = start_instances(PATH, 3)
    seen = shares(visits_to(start_nginx(instances), 300))
    assert seen == {place(instance): 100 for instance in instances}


def test_slow_instance_takes_its_turn_all_the_same(start_instances, start_nginx):
    """Taking turns, every other client has to wait for the slow one."""
    instances = a_slow_one_and_a_quick_one(start_instances)
    seen = shares(visits_to(start_nginx(instances), 40, clients=8))
    assert seen == {place(instance): 20 for instance in instances}


def test_slow_instance_is_found_out_by_least_conn(start_instances, start_nginx):
    slow, quick = a_slow_one_and_a_quick_one(start_instances)
    seen = shares(visits_to(start_nginx([slow, quick], LEAST), 400, clients=8))
    assert seen[place(slow)] < 100 < seen[place(quick)]
    assert seen[place(slow)] > 0


def a_slow_one_and_a_quick_one(start_instances):
    [slow] = start_instances("tests.apps.behind:sleeps", 1, SLEEP=0.2)
    [_, quick] = start_instances("tests.apps.behind:sleeps", 2, SLEEP=0)
    return slow, quick


def test_killed_instance_loses_no_request_of_5000(start_instances, start_nginx):
    """Its clients' requests go to the other one, which the log shows; no client hears of it."""
    instances = start_instances(PATH, 2)
    nginx = start_nginx(instances)
    with Load(nginx.port, 5000) as load:
        assert load.made(1500)
        kill(instances[0])
    assert len(load.outcomes) == 5000
    assert not load.lost, f"{len(load.lost)} of 5000, such as {load.lost[:3]}"
    assert lab.eventually(lambda: len(nginx.visits()) == 5000)
    seen = shares(nginx.visits())
    assert seen[place(instances[0])] >= 500
    assert seen[place(instances[1])] >= 3500
    moved = [visit for visit in nginx.visits()
             if visit.instances == [place(instance) for instance in instances]]
    assert moved, "somebody was asked in vain, and then the other"


def test_post_is_not_said_twice(start_instances, start_nginx):
    """The instance dies in the middle of its work: nobody knows how much of it was done."""
    instances = start_instances("tests.apps.behind:works", 2)
    nginx = start_nginx(instances)
    with Load(nginx.port, 1, clients=1, method="POST", body=b"pay=100") as load:
        [busy] = lab.eventually(lambda: at_work(instances))
        kill(busy)
    assert [outcome.status for outcome in load.outcomes] == [502]
    [visit] = lab.eventually(nginx.visits)
    assert visit.instances == [place(busy)]
    [other] = set(instances) - {busy}
    assert "the work is done" not in other.stderr


def test_get_is_said_twice_though_its_work_was_done(start_instances, start_nginx):
    """For who asks may ask again: that is what GET promises (RFC 9110, 9.2.2)."""
    instances = start_instances("tests.apps.behind:works", 2)
    nginx = start_nginx(instances)
    with Load(nginx.port, 1, clients=1) as load:
        [busy] = lab.eventually(lambda: at_work(instances))
        kill(busy)
        [other] = set(instances) - {busy}
        assert lab.eventually(lambda: other in at_work(instances), 20)
        kill(other)
    assert [outcome.status for outcome in load.outcomes] == [502]


def at_work(instances):
    return [instance for instance in instances if "the work is done" in instance.stderr]


def test_post_that_nobody_has_heard_goes_to_another(start_instances, start_nginx):
    """Where the connection was refused no work can have been done."""
    instances = start_instances(PATH, 2)
    nginx = start_nginx(instances)
    instances[0].stop()
    seen = shares(visits_to(nginx, 50, method="POST", body=b"pay=100"))
    assert seen == {place(instances[1]): 50}


def test_another_instance_joins_and_takes_its_share(start_instances, start_nginx):
    first, second, third = start_instances(PATH, 3)
    nginx = start_nginx([first, second])
    with Load(nginx.port) as load:
        assert load.made(200)
        nginx.reload([first, second, third])
        assert load.made(len(load.outcomes) + 200)
    assert not load.lost, load.lost[:3]
    seen = shares(visits_to(nginx, 300))
    assert seen == {place(instance): 100 for instance in (first, second, third)}


def test_instance_that_came_back_is_asked_again(start_instance, start_nginx):
    ports = [lab.free_port(), lab.free_port()]
    instances = [start_instance(PATH, "--quiet", "--bind", f"127.0.0.1:{port}") for port in ports]
    nginx = start_nginx(instances)
    instances[0].stop()
    assert set(shares(visits_to(nginx, 50))) == {place(instances[1])}
    start_instance(PATH, "--quiet", "--bind", f"127.0.0.1:{ports[0]}")
    back = lab.eventually(lambda: place(instances[0]) in shares(visits_to(nginx, 20)), 20, 0.2)
    assert back, "fail_timeout is 2 seconds, and it is not asked again"


def test_hosts_of_their_own_lose_nothing_when_one_falls_silent(machines, start_instance,
                                                               start_nginx):
    """The cable is pulled: nothing comes back, not even a refusal. Then it is put back."""
    hosts = machines(3)
    instances = [start_instance(PATH, "--quiet", at=host) for host in hosts]
    assert {instance.host for instance in instances} == {host.address for host in hosts}
    nginx = start_nginx(instances, IMPATIENT)
    assert len(shares(visits_to(nginx, 300))) == 3
    with Load(nginx.port) as load:
        assert load.made(300)
        hosts[0].unplug()
        assert load.made(len(load.outcomes) + 1500)
        hosts[0].plug_in()
    assert not load.lost, load.lost[:3]
    back = lab.eventually(lambda: place(instances[0]) in shares(visits_to(nginx, 30)), 20, 0.2)
    assert back, "the cable is back, and the machine is not asked again"


ALL_OF_IT = """
import signal, sys, time
from contextlib import ExitStack
from lab import production
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
with ExitStack() as stack:
    hosts = stack.enter_context(production.machines(2)) if sys.argv[1:] == ["root"] else []
    places = [*hosts, *production.addresses(2)]
    instances = [stack.enter_context(production.start_instance("part2.wsgiapp:app", at=at))
                 for at in places]
    nginx = stack.enter_context(production.start_nginx(instances))
    print("ready", nginx.folder, nginx.pid, *[server.pid for server in instances],
          *[host.name for host in hosts], flush=True)
    with production.Load(nginx.port):
        time.sleep(60)
"""


@needs("nginx")
@needs("openssl")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL],
                         ids=lambda number: number.name)
def test_nothing_is_left_when_the_reader_is_gone(number, folder):
    """Ctrl-C in the middle, or a kernel that is killed: no nginx, no namespace, no file."""
    reader = subprocess.Popen(
        [sys.executable, "-c", ALL_OF_IT, *["root"] * hosts_can_be()], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=lab.PROJECT,
        env={**os.environ, "TMPDIR": str(folder)})
    with reader:
        ready, made, *words = reader.stdout.readline().split()
        names = [word for word in words if not word.isdigit()]
        pids = [int(word) for word in words if word.isdigit()]
        assert ready == "ready"
        assert os.path.isdir(made)
        assert all(name in namespaces() for name in names)
        reader.send_signal(number)
        assert reader.wait(20) != 0
    gone = lab.eventually(lambda: not list(folder.iterdir()) and not set(names) & namespaces()
                          and not any(map(psutil.pid_exists, pids)), 20)
    assert gone, f"Left: {list(folder.iterdir())}, {set(names) & namespaces()}, {pids}"
    assert not set(names) & set(psutil.net_if_addrs())


def hosts_can_be():
    try:
        with production.machines(1):
            return True
    except lab.CannotSee:
        return False


def namespaces():
    """The names of the network namespaces that there are."""
    folder = "/run/netns"
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()
