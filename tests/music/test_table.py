"""Tables as people's programs write them."""

import pytest

from noizestream.errors import NoizestreamError
from noizestream.music.table import UTF_8, UTF_16, WINDOWS, encoding_of, rows


def read(file):
    return list(rows(file, encoding_of(file)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_ends_of_lines_and_encodings(tmp_path, delimiter, ending, encoding):
    file = tmp_path / "x.csv"
    lines = [["path", "genre"], ["a.wav", f'"Höch{delimiter} {ending}und ""so"""'], ["", ""], [" b.wav", "ü "]]
    file.write_bytes(ending.join(delimiter.join(line) for line in lines).encode(encoding))
    cell = f'Höch{delimiter} {ending}und "so"'
    assert read(file) == [(1, ["path", "genre"]), (2, ["a.wav", cell]), (5, ["b.wav", "ü"])]


def test_a_line_of_excel_and_empty_ones_before_the_head(tmp_path):
    (tmp_path / "x.csv").write_text("sep=;\n\npath,and;genre\na;b\n")
    assert read(tmp_path / "x.csv") == [(3, ["path,and", "genre"]), (4, ["a", "b"])]


def test_a_broken_quote_takes_no_other_row_with_it(tmp_path):
    (tmp_path / "x.csv").write_text('p,g,t\na,Jazz,"7 inch\nb,Dub,"The "Best" of"\nc,"Du\nb",\nd,Dub,5" mix\n')
    assert read(tmp_path / "x.csv")[1:] == [
        (2, ["a", "Jazz", "7 inch"]),
        (3, ["b", "Dub", 'The Best" of"']),
        (4, ["c", "Du\nb", ""]),
        (6, ["d", "Dub", '5" mix']),
    ]


def test_the_encoding_is_that_of_most(tmp_path):
    file = tmp_path / "x.csv"
    for content, encoding in ((b"a", UTF_8), ("ü ö\n".encode() + b"\xe9", UTF_8), (b"\xe9\xfc", WINDOWS), (b"\xff\xfea\0", UTF_16)):
        file.write_bytes(content)
        assert encoding_of(file) == encoding
    file.write_bytes(b"RIFF\0\0")
    with pytest.raises(NoizestreamError, match="no text"):
        encoding_of(file)
    file.write_bytes("\ufeffpath;x\n".encode("utf-16-le")[:-1])
    with pytest.raises(NoizestreamError, match="cannot be read as a table"):
        read(file)
