"""Wrong: it binds, listens, and is at its end; so is its socket."""

from polite import listen

listen_socket = listen()
