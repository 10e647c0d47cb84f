/* Wrong: SO_RCVTIMEO on the listening socket ends accept, and accept the server. */

#include "polite.h"
#include <sys/time.h>

int main(void)
{
    int listen_socket = listen_as_told(), connection;
    struct timeval limit = {.tv_sec = 4};

    setsockopt(listen_socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    while ((connection = next_client(listen_socket)) >= 0) {
        read_request(connection);
        send(connection, RESPONSE, strlen(RESPONSE), 0);
        close(connection);
    }
    perror("accept");
    return 1;
}
