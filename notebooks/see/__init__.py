"""Your server live in a browser: make see STAGE=3d, or make see SERVER='node my/server.js'.

    moment     what one look at the servers is written as: the format of a recording
    process    a look at one process, or a signal to it
    family     the processes of one server, and what is remembered of them
    sockets    the kernel's sockets on some ports
    crowd      the clients that the buttons send
    sentences  what a moment shows, said in words
    play       what can be started
    watched    one server with its clients
    scene      the servers on the stage, one or two; the looks
    actions    what the buttons do
    recording  the moments
    web        the page, a WSGI application
    broom      what is left over is swept away, however this ends
    command    make see
"""
