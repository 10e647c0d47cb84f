/* Wrong: it reads the beginning of a request; a browser sends more. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        char request[100];

        recv(connection, request, sizeof request, 0);
        send(connection, RESPONSE, strlen(RESPONSE), 0);
        close(connection);
    }
}
