/* A server of stage 1 in C. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESPONSE "HTTP/1.1 200 OK\r\n\r\nHello, World!\n"

static int listen_on(const char *host, const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    int listen_socket = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host, &address.sin_addr);
    setsockopt(listen_socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listen_socket, (struct sockaddr *)&address, sizeof address) == -1) {
        fprintf(stderr, "Cannot serve on %s:%s: %s\n", host, port, strerror(errno));
        exit(1);
    }
    listen(listen_socket, 1);
    return listen_socket;
}

int main(void) {
    char request[65536];
    int listen_socket = listen_on(getenv("HOST"), getenv("PORT"));
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int client_connection = accept(listen_socket, NULL, NULL);
        recv(client_connection, request, sizeof request, 0);
        send(client_connection, RESPONSE, sizeof RESPONSE - 1, 0);
        close(client_connection);
    }
}
