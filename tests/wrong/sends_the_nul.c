/* Wrong: sizeof counts the NUL at the end of the text. */

#include "polite.h"

int main(void)
{
    int listen_socket = listen_as_told();

    for (;;) {
        int connection = next_client(listen_socket);
        read_request(connection);
        send(connection, RESPONSE, sizeof RESPONSE, 0);
        close(connection);
    }
}
