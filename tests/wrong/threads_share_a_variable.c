/* Wrong: a thread is told where its connection is noted, and finds the next one's there. */

#include "polite.h"

static void *run(void *connection) {
    serve(*(int *) connection);
    return NULL;
}

int main(void) {
    int connection, listen_socket = listen_as_told();
    for (;;) {
        pthread_t thread;
        connection = accept(listen_socket, NULL, NULL);
        pthread_create(&thread, NULL, run, &connection);
        pthread_detach(thread);
    }
}
