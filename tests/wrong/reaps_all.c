/* Right, as stage 3g: it waits until there is none left to wait for. */

#include "polite.h"

int main(void) {
    int listen_socket = listen_as_told();
    on_child_end(reap_all, SA_RESTART);
    for (;;) {
        int connection = accept(listen_socket, NULL, NULL);
        if (connection >= 0)
            fork_for(connection, listen_socket);
    }
}
