"""Wrong: it sends with one send, and does not look at how much of it went."""

from polite_wsgi import stage

server = stage("3l")


def handle_request(client_connection):
    try:
        request = b""
        while b"\r\n\r\n" not in request:
            yield server.READ
            block = client_connection.recv(65536)
            if not block:
                break
            request += block
        yield server.WRITE
        client_connection.send(server.RESPONSE + server.HELLO * int(server.TIMES))
    except OSError as error:
        print(f"The client left early: {error}", flush=True)


server.handle_request = handle_request
server.main()
