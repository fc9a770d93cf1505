"""`noizestream ...` with a busy Python thread in its main process: what a display or a script beside the music may do to it."""

import threading

from noizestream.cli import main


def work() -> None:
    """Hold the interpreter lock for good."""
    number = 1
    while True:
        number = number * 1103515245 + 12345 & 0x7FFFFFFF


if __name__ == "__main__":
    threading.Thread(target=work, daemon=True).start()
    main()
