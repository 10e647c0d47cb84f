"""The cell magic %%needs: a cell that runs where the programs are that it works with.

    %load_ext lab.needs

    %%needs nginx openssl
    nginx = production.start_nginx([server])

Where one of them is missing, or the system does not let us, a sentence says so, and the chapter
goes on with the next cell.
"""

import ast

from IPython import get_ipython

from lab.kernel import CannotSee
from lab.production import missing


def needs(line, cell):
    """Run a cell if the programs named in its first line are installed; what its last line is."""
    if sentence := missing(*line.split()):
        print(sentence)
        return None
    try:
        return run(get_ipython(), cell)
    except CannotSee as reason:
        print(reason)
        return None


def run(shell, cell):
    """Run a cell's text as IPython does; the value of its last line, if that has one."""
    code = shell.transform_cell(cell)
    name = shell.compile.cache(code)  # so that a traceback can quote it
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), shell.user_ns)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), shell.user_ns)


def reason_if_missing(function):
    """The function, as one that returns why this system does not show what it looks at.

    That sentence, instead of a CannotSee that is raised; None if all is well.
    """
    def returns_the_reason(*arguments):
        try:
            function(*arguments)
        except CannotSee as reason:
            return str(reason)
        return None

    return returns_the_reason


def load_ipython_extension(shell):
    shell.register_magic_function(needs, "cell")
