"""Files of sentences as users have them: ends of lines, marks and encodings; and what a run on them is called."""

import gzip

import pytest

from keras_gans.data.pairs import lines_of, read_lines, short_name
from keras_gans.errors import UserError

LINES = ["ein Mann", "", "zwei Straßen"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\nb\n", ["a", "b"]),
        ("a\n\nb\n\n", ["a", "", "b", ""]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\rb\r", ["a", "b"]),
        # Within a sentence, as pages of the web have them: `wc` and editors count two lines.
        ("a\u2028b\x0c\x85\nc\x1dd\n", ["a\u2028b\x0c\x85", "c\x1dd"]),
        ("a\rb\nc\n", ["a\rb", "c"]),
    ],
)
def test_lines_are_those_that_editors_count(text, lines):
    assert lines_of(text) == lines


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_marks_and_ends_of_lines_are_no_part_of_sentences(tmp_path, name, encoding, ending):
    written = "".join(f"{line}{ending}" for line in LINES).encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(written) if name.endswith(".gz") else written)
    assert read_lines(tmp_path / name) == LINES


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", r"a.txt is not UTF-8 \(byte 0: b'\\xff'\).*iconv -f utf-16 -t utf-8"),
        ("latin1", r"a.txt is not UTF-8 \(byte 19: b'\\xdf'\).*iconv -f latin1 -t utf-8"),
    ],
)
def test_another_encoding_is_named_with_the_way_out(tmp_path, encoding, message):
    (tmp_path / "a.txt").write_bytes("\n".join(LINES).encode(encoding))
    with pytest.raises(UserError, match=message):
        read_lines(tmp_path / "a.txt")


@pytest.mark.parametrize(("encoding", "place"), [("utf-16le", 1), ("utf-16be", 0)])
def test_utf16_of_plain_letters_is_none(tmp_path, encoding, place):
    (tmp_path / "a.txt").write_bytes("ein Mann\n".encode(encoding))
    with pytest.raises(UserError, match=rf"\(character {place} is null\).*iconv -f {encoding} -t utf-8"):
        read_lines(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"ein Mann\n" * 99)[:-9], b"\x1f\x8b\x08\0\0\0\0\0\0\3\7"],
    # Not the content, which holds the time: two processes that collect tests must find the same.
    ids=["no gzip", "cut", "nothing but a header"],
)
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(UserError, match="a.gz cannot be read: "):
        read_lines(tmp_path / "a.gz")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("multi30k/{split}.en.gz = multi30k/{split}.de.gz", "multi30k-en-de"),
        ("{split}.en = {split}.de", "en-de"),
        ("/data/{split}/en.txt = /data/{split}/de.txt", "data-en-de"),
        ("a/{split}.en = b/{split}.de", "a-en-b-de"),
        ("texts/train.en = texts/train.de", "train.en-train.de"),
        ("digits.txt = words.txt.gz", "digits-words"),
        ("photos/summer + photos/winter", "summer-winter"),
        ("mnist + svhn_cropped", "mnist-svhn_cropped"),
        ("numbers_and_dates", "numbers_and_dates"),
        ("my/photos", "photos"),
    ],
)
def test_a_run_is_called_by_what_it_learns_from(data, name):
    assert short_name(data) == name
