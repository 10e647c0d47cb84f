"""python -m see"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to clean up
    from see.command import main  # this takes a moment, in which Ctrl-C may come

    main()
