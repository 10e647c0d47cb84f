"""A spare machine: this one again, to do with as root what one would not do here.

What it writes is written to memory, over the files of this machine (overlayfs); its network is its
own, and so are its processes. When its script is over nothing is left of it.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import lab
from lab.production import Kept

PROJECT = "/root/server"  # where a newcomer on that machine has cloned the project
NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
BOOT = """
set -e
mount -t tmpfs tmpfs {folder}
mkdir {folder}/upper {folder}/work {folder}/root
mount -t overlay overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work {folder}/root
cd {folder}/root
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
ip link set lo up
mkdir {folder}/root{project}
(cd {here} && tar -c part1 part2 part3 notebooks/lab tests Makefile pyproject.toml) |
    tar -x -C {folder}/root{project}
"""
SYSTEMD = "/lib/systemd/systemd"
INIT = """
mkdir mnt/out
mount --bind {out} mnt/out
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
printf %s {script} >trial.sh
printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh /trial.sh\\nExecStopPost=systemctl exit' \\
    >etc/systemd/system/trial.service
printf '[Unit]\\nRequires=basic.target trial.service\\nAfter=basic.target\\nAllowIsolate=yes' \\
    >etc/systemd/system/trial.target
exec chroot . env container=lab {systemd} --unit=trial.target --show-status=no
"""


def boot(folder):
    """The shell script that makes the machine's files in a folder."""
    return BOOT.format(folder=shlex.quote(str(folder)), here=shlex.quote(str(lab.PROJECT)),
                       project=PROJECT)


def run(folder, script, timeout=50):
    """Run a shell script as root on a spare machine; the CompletedProcess. It begins in PROJECT,
    and everything that it starts ends with it. Skips the test where no such machine can be."""
    if not sys.platform.startswith("linux"):
        pytest.skip("A spare machine is made of Linux's namespaces.")
    program = (f"{boot(folder)}\necho booted\n"
               f"exec chroot . /bin/sh -ec {shlex.quote(f'cd {PROJECT}; {script}')}")
    ended = subprocess.run([*NAMESPACES, "sh", "-c", program], capture_output=True, text=True,
                           timeout=timeout)
    if not ended.stdout.startswith("booted\n"):
        pytest.skip(f"No spare machine can be made here: {ended.stderr.strip()[-300:]}")
    ended.stdout = ended.stdout.removeprefix("booted\n")
    return ended


def run_under_systemd(folder, script, timeout=100):
    """Run a shell script as root on a spare machine whose first process is systemd; what it wrote,
    to stderr as well. Skips the test where that cannot be."""
    groups = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()
              if " cgroup2 " in line] if sys.platform.startswith("linux") else []
    if os.geteuid() != 0 or not groups or not Path(SYSTEMD).exists():
        pytest.skip("No spare machine with systemd: that needs Linux, root, systemd and cgroup2.")
    group, machine, out = f"{groups[0]}/lab-{os.getpid()}", folder / "machine", folder / "out"
    machine.mkdir()
    out.mkdir()
    trial = f"exec >/mnt/out/said 2>&1\ncd {PROJECT}\n{script}"
    init = boot(machine) + INIT.format(out=out, script=shlex.quote(trial), systemd=SYSTEMD)
    enter = f"echo 0 >{group}/cgroup.procs && exec {' '.join(NAMESPACES)} --cgroup sh -c \"$0\""
    try:
        with Kept(f"mkdir {group}", f"sleep 0.2; find {group} -depth -type d -exec rmdir {{}} \\;"):
            ended = subprocess.run(["sh", "-c", enter, init], capture_output=True, text=True,
                                   timeout=timeout)
    except lab.CannotSee as why:
        pytest.skip(str(why))
    if not (out / "said").exists():
        pytest.skip(f"systemd does not come up on a spare machine: {ended.stderr.strip()[-300:]}")
    return (out / "said").read_text()
