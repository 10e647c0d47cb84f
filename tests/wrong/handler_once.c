/* Wrong: its handler is good for one signal; the next child's end finds none, and stays a zombie. */

#include "polite.h"

int main(void) {
    int listen_socket = listen_as_told();
    on_child_end(reap_all, SA_RESTART | SA_RESETHAND);
    for (;;) {
        int connection = accept(listen_socket, NULL, NULL);
        if (connection >= 0)
            fork_for(connection, listen_socket);
    }
}
