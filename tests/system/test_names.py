"""Names that are no text are shown, never an error."""

import io

import pytest

from noizestream.system.names import LONGEST, REPLACING, as_text, one_line, shortened


def test_what_is_no_text_becomes_replacement_characters():
    assert as_text("caf\udce9 Höch\n") == "caf\ufffd Höch\n"
    assert one_line("a\nb\x1b[31m\udce9\u2028.wav") == "a\ufffdb\ufffd[31m\ufffd\ufffd.wav"


def test_a_long_message_keeps_both_ends():
    line = shortened(f"--json {'x' * 5000}: cannot be written")
    assert len(line) == LONGEST and line.startswith("--json xx") and line.endswith("xx: cannot be written")
    assert shortened("short") == "short"


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "Höch caf\ufffd"), ("ascii", "H?ch caf?"), ("latin-1", "Höch caf?")])
def test_a_terminal_of_any_encoding_shows_any_name(encoding, shown):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=REPLACING)
    stream.write("Höch caf\udce9")
    stream.flush()
    assert stream.buffer.getvalue().decode(encoding) == shown
