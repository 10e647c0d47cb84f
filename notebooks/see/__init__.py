"""Your server live in a browser: make see STAGE=3d, or make see SERVER='node my/server.js'.

    moment     what one look at the servers is written as: the format of a recording
    family     a look at the processes of one server
    crowd      the clients that the buttons send
    sentences  what a moment shows, said in words
    scene      the servers on the stage, the actions, the recording
    web        the page, a WSGI application
    broom      what is left over is swept away, however this ends
"""
