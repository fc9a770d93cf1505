"""Names from outside as text that can be shown: a file's name is bytes in no encoding, of which any but two are allowed."""

import codecs
import re

REPLACEMENT = "\ufffd"
LONGEST = 400
"""Characters of a message. Of a longer one, which holds a path of thousands, the beginning and the end are shown."""

REPLACING = "noizestream-replace"
"""As `errors` of a stream: a replacement character where its encoding has no other, or no such one, in place of an error."""

_NO_TEXT = re.compile("[\ud800-\udfff]")
"""What Python makes of a byte that is in no encoding."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def as_text(name: object) -> str:
    """Return `name`, a path or any other text, with a replacement character for whatever no file in UTF-8 can hold."""
    return _NO_TEXT.sub(REPLACEMENT, str(name))


def one_line(name: object) -> str:
    """Return `name` as `as_text` does, and without what would break the line or steer the terminal."""
    return _CONTROL.sub(REPLACEMENT, as_text(name))


def shortened(message: str) -> str:
    """Return `message` in one line of `LONGEST` characters at most."""
    line = one_line(message)
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[5 - LONGEST // 2 :]}"


def _replace(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    try:
        one = REPLACEMENT.encode(error.encoding)
    except UnicodeEncodeError:
        one = b"?"
    return one * (error.end - error.start), error.end


codecs.register_error(REPLACING, _replace)
