"""A spare machine: this one again, to do with as root what one would not do here.

What it writes is written to memory, over the files of this machine (overlayfs); its network is its
own, and so are its processes. When its script is over nothing is left of it.
"""

import shlex
import subprocess
import sys

import pytest

import lab

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
