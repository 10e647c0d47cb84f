/* Wrong: Content-Length promises more than comes. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        char *response = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" BODY;

        read_request(connection);
        send(connection, response, strlen(response), 0);
        close(connection);
    }
}
