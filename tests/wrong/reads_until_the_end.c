/* Wrong: it waits for the end of the connection, and the client for the answer. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        while (read_request(connection) > 0)
            ;
        send(connection, RESPONSE, strlen(RESPONSE), 0);
        close(connection);
    }
}
