/* What the wrong servers in C do right, so that each has one fault. */

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY "Hello, World!\n"
#define RESPONSE "HTTP/1.1 200 OK\r\n\r\n" BODY

static inline int listening(void)
{
    int listen_socket = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};

    signal(SIGPIPE, SIG_IGN);
    address.sin_port = htons(atoi(getenv("PORT")));
    inet_pton(AF_INET, getenv("HOST"), &address.sin_addr);
    setsockopt(listen_socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listen_socket, (struct sockaddr *) &address, sizeof address) < 0
        || listen(listen_socket, 128) < 0) {
        perror("Cannot serve");
        exit(1);
    }
    return listen_socket;
}

static inline int next_client(int listen_socket)
{
    return accept(listen_socket, NULL, NULL);
}

static inline ssize_t read_request(int connection)
{
    static char request[65536];

    return recv(connection, request, sizeof request, 0);
}
