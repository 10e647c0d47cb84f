/* Right, as stage 3i: a thread for each client. */

#include "polite.h"

static void *run(void *connection) {
    serve((int) (long) connection);
    return NULL;
}

int main(void) {
    int listen_socket = listen_as_told();
    for (;;) {
        pthread_t thread;
        long connection = accept(listen_socket, NULL, NULL);
        if (connection >= 0 && pthread_create(&thread, NULL, run, (void *) connection) == 0)
            pthread_detach(thread);
    }
}
