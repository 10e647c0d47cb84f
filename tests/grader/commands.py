"""What SERVER may be: one command, as a program and its arguments; and what a shell's line is."""

import re

QUOTED = r"'[^']*'|\"[^\"]*\"|\\."  # a shell takes nothing in quotes for its own, or nearly so
SHELLS = {  # what only a shell understands, and how one does without
    r"^\s*cd\b": "cd",
    r"&&|\|\||;": "&& and the like",
    r"\|": "a pipe",
    r"[<>]": "< and >",
    r"&": "&",
    r"\$|`": "$",
    r"(^|\s)~": "~",
    r"^\s*\w+=": "a setting in front",
    r"[*?]": "* and ?",
}
INSTEAD = """\
SERVER={server} is a line for a shell, which alone understands {what}.
What is wanted is one command: a program and its arguments, started in the project's folder, such as
    SERVER='node my/server.js'      SERVER=./my/a.out      SERVER='env LEVEL=3 ./my/a.out'
If your server needs a line, write it into a file, my/start.sh, with exec before the last command:
    cd my && exec ./a.out
and then SERVER='sh my/start.sh'"""


def shells_line(server):
    """Why a text is no command but a line for a shell, and what to do; None if it is a command."""
    bare = re.sub(QUOTED, "", server)
    for pattern, what in SHELLS.items():
        if re.search(pattern, bare):
            return INSTEAD.format(server=repr(server), what=what)
    return None
