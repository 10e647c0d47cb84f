/* Wrong: sizeof tells how large the pointer is. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        char *response = RESPONSE;

        read_request(connection);
        send(connection, response, sizeof response, 0);
        close(connection);
    }
}
