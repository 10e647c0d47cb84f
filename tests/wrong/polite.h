/* What the servers in C do right, so that each has one fault. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY "Hello, World!\n"
#define RESPONSE "HTTP/1.1 200 OK\r\n\r\n" BODY

static inline int listen_as_told(void) {
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in address = {.sin_family = AF_INET};
    int on = 1, listen_socket = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGPIPE, SIG_IGN); /* who writes to a client that is gone gets EPIPE */
    setsockopt(listen_socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    address.sin_port = htons(atoi(port ? port : "8888"));
    inet_pton(AF_INET, host ? host : "127.0.0.1", &address.sin_addr);
    if (bind(listen_socket, (struct sockaddr *) &address, sizeof address) < 0
        || listen(listen_socket, 1024) < 0) {
        fprintf(stderr, "Cannot serve on port %s: %s\n", port, strerror(errno));
        exit(1);
    }
    return listen_socket;
}

static inline void answer(int connection) {
    static const char response[] = "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";
    char request[65536];
    if (recv(connection, request, sizeof request, 0) >= 0)
        send(connection, response, sizeof response - 1, 0);
}

/* Answer, then sleep for DELAY seconds, and close. */
static inline void serve(int connection) {
    const char *delay = getenv("DELAY");
    answer(connection);
    usleep(atof(delay ? delay : "0") * 1e6);
    close(connection);
}

/* A child for a client; the parent gives its copy of the connection back. */
static inline pid_t fork_for(int connection, int listen_socket) {
    pid_t pid = fork();
    if (pid == 0) {
        close(listen_socket);
        serve(connection);
        _exit(0);
    }
    close(connection);
    return pid;
}

static inline void on_child_end(void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(SIGCHLD, &action, NULL);
}

static inline void reap_all(int signum) {
    int before = errno;
    (void) signum;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = before;
}

static inline int next_client(int listen_socket) {
    return accept(listen_socket, NULL, NULL);
}

static inline ssize_t read_request(int connection) {
    static char request[65536];

    return recv(connection, request, sizeof request, 0);
}
