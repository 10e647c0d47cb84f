"""What is asked of a server, from outside: sockets, exit codes, the process table."""
