/* Right, as stages 3e and 3f: it waits for a child at each signal; SA_RESTART goes on in accept. */

#include "polite.h"

static void reap_child(int signum) {
    int before = errno;
    (void) signum;
    wait(NULL);
    errno = before;
}

int main(void) {
    int listen_socket = listen_as_told();
    on_child_end(reap_child, SA_RESTART);
    for (;;) {
        int connection = accept(listen_socket, NULL, NULL);
        if (connection >= 0)
            fork_for(connection, listen_socket);
    }
}
