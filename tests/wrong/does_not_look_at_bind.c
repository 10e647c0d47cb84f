/* Wrong: bind fails where the port is taken, and listen takes another one. */

#include "polite.h"

int main(void)
{
    int listen_socket = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};

    signal(SIGPIPE, SIG_IGN);
    address.sin_port = htons(atoi(getenv("PORT")));
    inet_pton(AF_INET, getenv("HOST"), &address.sin_addr);
    setsockopt(listen_socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bind(listen_socket, (struct sockaddr *) &address, sizeof address);
    listen(listen_socket, 128);
    for (;;) {
        int connection = next_client(listen_socket);

        read_request(connection);
        send(connection, RESPONSE, strlen(RESPONSE), 0);
        close(connection);
    }
}
