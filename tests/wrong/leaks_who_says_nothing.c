/* Wrong: who says nothing, or resets, leaves a descriptor behind. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        if (read_request(connection) <= 0)
            continue;
        send(connection, RESPONSE, strlen(RESPONSE), 0);
        close(connection);
    }
}
