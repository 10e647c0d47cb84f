/* Right, as stage 3e: the signal interrupts accept, and it dies of that. */

#include "polite.h"

static void reap_child(int signum) {
    int before = errno;
    (void) signum;
    wait(NULL);
    errno = before;
}

int main(void) {
    int listen_socket = listen_as_told();
    on_child_end(reap_child, 0);
    for (;;) {
        int connection = accept(listen_socket, NULL, NULL);
        if (connection < 0) {
            perror("accept");
            exit(1);
        }
        fork_for(connection, listen_socket);
    }
}
