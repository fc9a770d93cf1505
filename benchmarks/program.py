"""What the benchmarks share as programs: faults in one line, and tables as wide as the place they go to."""

import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from noizestream.errors import NoizestreamError


def run(main: Callable[[], object]) -> None:
    """Run the `main` of a benchmark; a NoizestreamError ends the program in one line that begins with the name of the script."""
    try:
        main()
    except NoizestreamError as error:
        raise SystemExit(f"{Path(sys.argv[0]).stem}: {error}") from None


def print_table(table: Table, width: int) -> None:
    """Print `table` as wide as the terminal, or `width` characters wide where standard output is a file or a pipe."""
    Console(width=None if sys.stdout.isatty() else width).print(table)
