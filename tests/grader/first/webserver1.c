#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *from_environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

int main(void) {
    const char *host = from_environment("HOST", "127.0.0.1");
    const char *port = from_environment("PORT", "8888");

    /* Your server: it listens on host and port, and whatever a client asks, the answer is
       "HTTP/1.1 200 OK\r\n\r\nHello, World!\n", and the end of the connection.
       Each call has a page: man 2 socket, man 2 accept. man 7 ip has the address for bind. */
    printf("Nothing listens on %s:%s yet.\n", host, port);
    return 0;
}
