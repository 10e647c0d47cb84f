/* Right, as stage 3d: the parent keeps its copy of each connection. */

#include "polite.h"

int main(void) {
    int listen_socket = listen_as_told();
    for (;;) {
        int connection = accept(listen_socket, NULL, NULL);
        if (connection < 0) {
            perror("accept");
            exit(1);
        }
        if (fork() == 0) {
            close(listen_socket);
            serve(connection);
            _exit(0);
        }
    }
}
