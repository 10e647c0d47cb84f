/* Wrong: it closes the listening socket with its first client. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        read_request(connection);
        send(connection, RESPONSE, strlen(RESPONSE), 0);
        close(listen_socket);
        close(connection);
    }
}
