/* Wrong: it answers without reading, and what is unread when it closes makes the end a reset. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        send(connection, RESPONSE, strlen(RESPONSE), 0);
        close(connection);
    }
}
