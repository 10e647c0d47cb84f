/* Wrong: strlen of the body, where head and body are sent. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        read_request(connection);
        send(connection, RESPONSE, strlen(BODY), 0);
        close(connection);
    }
}
