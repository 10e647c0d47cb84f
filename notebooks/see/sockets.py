"""The kernel's sockets on some ports: those that listen, and the connections.

Asked for by sock_diag(7), as `ss` does: the kernel picks out the ports, which takes it a few
milliseconds where there are tens of thousands of other sockets; /proc/net/tcp lists them all.
"""

import socket
import struct
from collections import namedtuple
from contextlib import suppress
from ipaddress import ip_address

import lab
from lab.kernel import TCP_STATES, Connection

Listener = namedtuple("Listener", "inode waiting backlog")

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, DUMP = 4, 20, 0x301  # linux/netlink.h, sock_diag.h
ALL_STATES = 0xFFF
BYTECODE, JUMP, LOCAL_PORT_IS, FOREIGN_PORT_IS = 1, 1, 11, 12  # linux/inet_diag.h
ERROR, DONE = 2, 3  # kinds of messages
HEADER = struct.Struct("=IHHII")  # its length, kind, flags, number, sender
SOCKET = struct.Struct("!BBBBHH16s16s")  # family, state, ..., ports and addresses
NUMBERS = struct.Struct("=IIIII")  # time, two queues, user, inode


def look(ports):
    """{port: (a list of Listener, a list of Connection)}, each end of a connection on its own.

    Where the system does not tell, it is what lab finds out, or nothing.
    """
    found = {port: ([], []) for port in ports}
    try:
        sort(ask(socket.AF_INET, ports), found)
        if not all(listeners for listeners, _ in found.values()):
            with suppress(OSError):  # a kernel without IPv6
                sort(ask(socket.AF_INET6, ports), found)
    except (OSError, AttributeError):  # no Linux, or one that does not tell
        return {port: look_with_lab(port) for port in ports}
    return found


def look_with_lab(port):
    listeners = [Listener(one.inode, one.waiting, None) for one in lab.listeners(port)]
    try:
        return listeners, lab.connections(port)
    except lab.CannotSee:
        return listeners, []


def sort(sockets, found):
    """Put each where it belongs: a connection may have both its ends on ports of ours."""
    for local, foreign, state, queues, inode in sockets:
        if state == "LISTEN":
            found[local[1]][0].append(Listener(inode, *queues))
            continue
        for port in {local[1], foreign[1]} & found.keys():
            found[port][1].append(Connection(local, foreign, state, inode))


def ask(family, ports):
    """(local, foreign, state, (queue, queue), inode) of each socket with one of these ports."""
    program = port_filter(ports)
    attribute = struct.pack("=HH", 4 + len(program), BYTECODE) + program
    wish = struct.pack("=BBBBI48x", family, socket.IPPROTO_TCP, 0, 0, ALL_STATES) + attribute
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(5)
        kernel.send(HEADER.pack(HEADER.size + len(wish), SOCK_DIAG_BY_FAMILY, DUMP, 1, 0) + wish)
        while True:
            data = kernel.recv(1 << 16)
            while data:
                length, kind, *_ = HEADER.unpack_from(data)
                if kind == DONE:
                    return
                if kind == ERROR:
                    raise OSError("The kernel does not tell of its sockets.")
                yield understand(data[HEADER.size:length])
                data = data[(length + 3) & ~3:]


def port_filter(ports):
    """A program for the kernel: whether either port of a socket is one of these.

    A test takes three words: itself, its port, and a jump to the end, which means yes. Where it
    fails, the next one follows; the last then goes beyond the end, which means no.
    """
    tests = [(test, port) for port in ports for test in (LOCAL_PORT_IS, FOREIGN_PORT_IS)]
    program = b""
    for left, (test, port) in zip(range(len(tests), 0, -1), tests, strict=True):
        otherwise = 12 if left > 1 else 16
        program += struct.pack("=BBHBBH", test, 8, otherwise, 0, 0, port)
        program += struct.pack("=BBH", JUMP, 4, 12 * left - 8)
    return program


def understand(message):
    family, state, _, _, *ports, local, foreign = SOCKET.unpack_from(message)
    _, *queues, _, inode = NUMBERS.unpack_from(message, SOCKET.size + 12)
    size = 4 if family == socket.AF_INET else 16
    return (address(local[:size]), ports[0]), (address(foreign[:size]), ports[1]), \
        TCP_STATES[state], queues, inode


def address(octets):
    found = ip_address(octets)
    return str(getattr(found, "ipv4_mapped", None) or found)
