"""Folders of images with captions: a table `metadata.csv` or `metadata.jsonl` beside the images.

The columns `file_name` and `text` are those of Hugging Face's imagefolder; a file with several rows has several
captions, and further columns are left out.
"""

import csv
import json
from pathlib import Path

from keras_gans.data.pairs import lines_of
from keras_gans.errors import UserError, nearest

TABLES = ("metadata.csv", "metadata.jsonl")
_SHOWN = 3


def table_in(directory: Path) -> Path | None:
    """The table of captions in a folder, or None where it has none."""
    return next((directory / name for name in TABLES if (directory / name).is_file()), None)


def read_captions(table: Path) -> dict[Path, list[str]]:
    """{image file: its captions}, in the table's order.

    Raises:
        UserError: the table cannot be read, lacks a column, names a file that is not there, or has an empty caption.
    """
    rows = _json_rows(table) if table.suffix == ".jsonl" else _csv_rows(table)
    found, missing, empty = {}, [], []
    for number, row in rows:
        file = table.parent / row["file_name"]
        text = row["text"].strip()
        if not text:
            empty.append(f"line {number}: {row['file_name']}")
        elif file not in found and not file.is_file():
            missing.append(f"line {number}: {row['file_name']}")
        else:
            found.setdefault(file, []).append(text)
    for what, which in (("name a file that is not there", missing), ("have no text", empty)):
        if which:
            more = f" and {len(which) - _SHOWN} more" if len(which) > _SHOWN else ""
            raise UserError(f"{len(which)} rows of {table} {what}: {'; '.join(which[:_SHOWN])}{more}.")
    if not found:
        raise UserError(f"{table} has no rows.")
    return found


def _csv_rows(table):
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _check_columns(table, reader.fieldnames or ())
            for row in reader:
                if row["text"] is None or row["file_name"] is None:
                    raise UserError(f"Line {reader.line_num} of {table} has too few columns.")
                yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table} is not a table in UTF-8: {error}.") from None


def _json_rows(table):
    try:
        lines = lines_of(table.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{table} is not in UTF-8: {error}.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f"Line {number} of {table} is not JSON: {error}.") from None
        if not isinstance(row, dict):
            raise UserError(f"Line {number} of {table} is not an object with file_name and text.")
        _check_columns(table, row)
        for key in ("file_name", "text"):
            if not isinstance(row[key], str):
                found = json.dumps(row[key])[:80]
                raise UserError(f"Line {number} of {table}: {key} is a text in quotation marks. Received: {found}.")
        yield number, {key: row[key] for key in ("file_name", "text")}


def _check_columns(table, columns):
    for name in ("file_name", "text"):
        if name not in columns:
            close = nearest(name, columns)
            hint = f" Did you mean to call {close[0]!r} so?" if close else ""
            raise UserError(f"{table} has no column {name!r}.{hint} It has: {', '.join(columns) or 'none'}.")
