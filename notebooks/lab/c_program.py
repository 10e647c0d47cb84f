"""Compile a C program that comes on standard input, and run it; for a cell of a chapter.

    python -m lab.c_program

Where there is no C compiler, it says so in one line.
"""

import shutil
import subprocess
import sys
import tempfile


def main():
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        print("There is no C compiler here, so this program was not run.")
        return
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/program"
        subprocess.run([compiler, "-w", "-o", program, "-x", "c", "-"], stdin=sys.stdin, check=True)
        sys.exit(subprocess.run([program], stdin=subprocess.DEVNULL).returncode)


if __name__ == "__main__":
    main()
