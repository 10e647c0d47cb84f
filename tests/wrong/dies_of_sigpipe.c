/* Wrong: who writes to a client that has gone gets SIGPIPE, and dies. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        signal(SIGPIPE, SIG_DFL);
        read_request(connection);
        send(connection, RESPONSE, 5, 0);
        usleep(10000);
        send(connection, RESPONSE + 5, strlen(RESPONSE) - 5, 0);
        close(connection);
    }
}
