/* Right, as stage 3j: two workers, as many as there are cores; one that dies is replaced. */

#include "polite.h"

#define WORKERS 2

static pid_t workers[WORKERS];

static pid_t start_worker(int listen_socket) {
    pid_t pid = fork();
    if (pid)
        return pid;
    signal(SIGTERM, SIG_DFL);
    for (;;)
        serve(accept(listen_socket, NULL, NULL));
}

static void stop(int signum) {
    (void) signum;
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGKILL);
    _exit(0);
}

int main(void) {
    int listen_socket = listen_as_told();
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_worker(listen_socket);
    signal(SIGTERM, stop);
    for (;;) {
        pid_t dead = wait(NULL);
        for (int i = 0; i < WORKERS; i++)
            if (workers[i] == dead)
                workers[i] = start_worker(listen_socket);
    }
}
