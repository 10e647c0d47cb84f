/* Wrong: after EINTR there is no client, and it forks all the same. The child ends at once, which
   interrupts accept again. */

#include "polite.h"

int main(void) {
    int listen_socket = listen_as_told();
    on_child_end(reap_all, 0);
    for (;;) {
        int connection = accept(listen_socket, NULL, NULL);
        if (connection < 0 && errno != EINTR)
            exit(1);
        fork_for(connection, listen_socket);
    }
}
