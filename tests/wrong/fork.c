/* Right, as stage 3c: a child for each client, and nobody waits for it. */

#include "polite.h"

int main(void) {
    int listen_socket = listen_as_told();
    for (;;)
        fork_for(accept(listen_socket, NULL, NULL), listen_socket);
}
