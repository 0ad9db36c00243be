"""Which columns of a table are labels, which are categories, and what their values mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.data.readers.columns import Column, Listing
from facelocus.errors import DataError

_YES, _NO, _UNKNOWN = 1, 0, -1
_MEANING = {
    "": _UNKNOWN, "?": _UNKNOWN, "nan": _UNKNOWN,
    "1": _YES, "1.0": _YES, "true": _YES, "yes": _YES,
    "0": _NO, "0.0": _NO, "-1": _NO, "-1.0": _NO, "false": _NO, "no": _NO,
}  # fmt: skip
_ZERO, _MINUS = ("0", "0.0"), ("-1", "-1.0")
_CONVENTIONS = {"1/0": _ZERO, "1/-1": _MINUS, "true/false": ("true", "false"), "yes/no": ("yes", "no")}
_MOST_CATEGORIES = 32
_ELSEWHERE = "whole face"


@dataclass(frozen=True)
class Labels:
    """The labels of a table.

    Attributes:
        attributes: the A attributes it has.
        values: int8, N x A: 1, 0, -1 unknown.
        conventions: how yes, no and unknown are written in it, in words.
        left_out: columns that are no labels.
    """

    attributes: AttributeSet
    values: npt.NDArray[np.int8]
    conventions: str
    left_out: tuple[str, ...]


def read_labels(listing: Listing, aside: Collection[str], regions: Mapping[str, str]) -> Labels:
    """Read every column but those named in `aside`.

    A column is of labels where at least half of its values, blanks apart, are 1/0, 1/-1, true/false or yes/no;
    blank, `?` and NaN are unknown. A column of text with 2 to 32 values, each twice or more on average, gives one
    attribute a value, `column=value`. Other columns are left out. An attribute shows on the region that its header
    names (`Name@region`), else on that of `regions`, else where CelebA has it, else on the whole face.

    Raises:
        DataError: a column of labels has another value, or the table both 0 and -1; names the row.
    """
    names: list[str] = []
    region_of: list[str] = []
    values: list[npt.NDArray[np.int8]] = []
    left_out: list[str] = []
    signs = _Signs()
    for header, column in zip(listing.header, listing.columns, strict=True):
        if header in aside:
            continue
        name, _, region = (part.strip() for part in header.rpartition("@")) if "@" in header else (header, "", "")
        found = _labels(listing, name, column, signs) or _categories(name, column)
        if not found or not name:
            left_out.append(header or "a column without a name")
            continue
        for attribute, its in found.items():
            names.append(attribute)
            region_of.append(region or regions.get(attribute) or regions.get(name) or _celeba_region(attribute))
            values.append(its)
    where = listing.files[0][0]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise DataError(f"{where} has two columns for {repeated[0]}; rename one")
    if not names:
        raise DataError(
            f"{where} has no column of labels (1/0, 1/-1, true/false or yes/no); add one for each attribute"
        )
    order = [region for region in CELEBA.regions if region in region_of]
    order += [region for region in dict.fromkeys(region_of) if region not in order]
    attributes = AttributeSet(tuple(names), tuple(order), tuple(region_of))
    return Labels(attributes, np.stack(values, axis=1), signs.conventions(), tuple(left_out))


class _Signs:
    """Remembers how a table writes its labels, with the first 0 and -1: with both, one of them may mean unknown."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.zero: tuple[str, int] | None = None
        self.minus: tuple[str, int] | None = None

    def conventions(self) -> str:
        ways = [way for way, words in _CONVENTIONS.items() if self.seen.intersection(words)]
        ways = ways or ["1" if self.seen else "words"]
        unknown = [word or "blank" for word in ("", "?", "nan") if word in self.seen]
        return ", ".join(ways) + (f" with {' and '.join(unknown)} unknown" if unknown else "")

    def see(self, listing: Listing, name: str, column: Column, texts: list[str]) -> None:
        self.seen.update(texts)
        self.zero = self.zero or _first(name, column, [text in _ZERO for text in texts])
        self.minus = self.minus or _first(name, column, [text in _MINUS for text in texts])
        if self.zero and self.minus:
            raise DataError(
                f"{listing.place(self.minus[1])}: {self.minus[0]} is -1, but {self.zero[0]} is 0 at "
                f"{listing.unit} {listing.lines[self.zero[1]]}; write ? for unknown, and no as either 0 or -1"
            )


def _first(name: str, column: Column, wanted: list[bool]) -> tuple[str, int] | None:
    rows = np.flatnonzero(_each(wanted, False, column))
    return (name, int(rows[0])) if rows.size else None


def _labels(listing: Listing, name: str, column: Column, signs: _Signs) -> dict[str, npt.NDArray[np.int8]]:
    texts = [value.strip().lower() for value in column.values]
    known = _each([text in _MEANING for text in texts], False, column)
    meaning = _each([_MEANING.get(text, _UNKNOWN) for text in texts], _UNKNOWN, column).astype(np.int8)
    wrong = np.flatnonzero(known == 0)
    labelled = int(np.count_nonzero(meaning != _UNKNOWN))
    if labelled == 0 or labelled < wrong.size:
        return {}
    if wrong.size:
        more = f" ({wrong.size - 1:,} more such values)" if wrong.size > 1 else ""
        value = column.values[column.codes[wrong[0]]]
        raise DataError(
            f"{listing.place(int(wrong[0]))}: {name} is {value[:40]!r}, not 1/0, 1/-1, true/false or yes/no{more}; "
            "correct it, or write ? for unknown"
        )
    signs.see(listing, name, column, texts)
    return {name: meaning}


def _categories(name: str, column: Column) -> dict[str, npt.NDArray[np.int8]]:
    texts = [value.strip() for value in column.values]
    distinct = sorted({text for text in texts if _MEANING.get(text.lower()) != _UNKNOWN})
    if not 2 <= len(distinct) <= _MOST_CATEGORIES or all(map(_is_number, distinct)):
        return {}
    position = {text: number for number, text in enumerate(distinct)}
    which = _each([position.get(text, -1) for text in texts], -1, column)
    filled = which >= 0
    if np.count_nonzero(filled) < 2 * len(distinct):
        return {}
    return {
        f"{name}={text}": np.where(filled, which == number, _UNKNOWN).astype(np.int8)
        for text, number in position.items()
    }


def _each(of_value: list[bool] | list[int], of_other: int, column: Column) -> npt.NDArray[np.int16]:
    # The code -1 of a value that was not kept indexes the last element.
    each: npt.NDArray[np.int16] = np.array([*of_value, of_other], np.int16)[column.codes]
    return each


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _celeba_region(attribute: str) -> str:
    return dict(zip(CELEBA.names, CELEBA.region_of, strict=True)).get(attribute, _ELSEWHERE)
