"""What Linux tells of processes."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Those that `pid` has started and that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (OSError, IndexError):
            continue
    return sorted(found)


def alive(pid: int) -> bool:
    """Whether it still runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def maps(pid: int, library: str) -> bool:
    """Whether it has a file of that name in its memory."""
    try:
        return library in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False
