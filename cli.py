"""Run noizestream from a checkout: `python cli.py play`."""

from noizestream.cli import main

if __name__ == "__main__":
    main()
