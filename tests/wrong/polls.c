/* Right, as stage 3k: one process asks poll who has something to say. */

#include "polite.h"

#define CLIENTS 12000

static struct pollfd seen[CLIENTS];

int main(void) {
    int listen_socket = listen_as_told(), count = 1;
    listen(listen_socket, 5000);
    seen[0] = (struct pollfd) {.fd = listen_socket, .events = POLLIN};
    for (;;) {
        poll(seen, count, -1);
        for (int i = count - 1; i > 0; i--) /* from the end: the last one fills the gap */
            if (seen[i].revents) {
                answer(seen[i].fd);
                close(seen[i].fd);
                seen[i] = seen[--count];
            }
        if (seen[0].revents && count < CLIENTS) {
            int connection = accept(listen_socket, NULL, NULL);
            if (connection >= 0)
                seen[count++] = (struct pollfd) {.fd = connection, .events = POLLIN};
        }
    }
}
