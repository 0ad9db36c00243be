"""Words -> the tokens of query.lark, by the longest phrase that is known; and where the next person begins."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache

from lark import Token

from facelocus.errors import UsageError
from facelocus.search.query import All, Expression, Term, words_of
from facelocus.search.words import GRAMMAR, HAIR, NOUNS, PEOPLE, SUPERLATIVES, SYNONYMS

#: Characters of a query.
LONGEST = 1000
#: Brackets and "not" within one another.
DEEPEST = 24

_PUNCTUATION = {",": "COMMA", ";": "NEXT", "(": "LPAR", ")": "RPAR", ":": "SKIP", ".": "SKIP"}
_SEPARATORS = ("AND", "COMMA")
_QUANTITIES = ("NUMBER", "EXACTLY", "AT_LEAST", "AT_MOST", "NOBODY", "EVERY")

_LOOK = "|".join(HAIR)
_SHARED_HAIR = re.compile(rf"\b(?:{_LOOK})(?:(?: *, *| *\| *| or | and |, or |, and )(?:{_LOOK}))+ hair(?:ed)?\b")
_LOOK_ALONE = re.compile(rf"\b({_LOOK})\b")


class Lexicon:
    """The words for the attributes of one model.

    Attributes:
        meanings: phrase -> what it says of a face.
        superlatives: phrase -> what is ordered by.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        known = frozenset(names)
        self.meanings: dict[str, Expression] = {}
        for attribute, phrases in SYNONYMS.items():
            if attribute in known:
                for phrase in phrases.split(", "):
                    opposite = phrase.startswith("no ")
                    self.meanings[phrase.removeprefix("no ")] = Term(attribute, opposite)
        for phrases, wanted in PEOPLE.items():
            parts = [_term(part) for part in wanted.split(", ")]
            if all(part.attribute in known for part in parts):
                self.meanings |= dict.fromkeys(phrases.split(", "), All(tuple(parts)))
        # Its own name is an attribute's whatever else it might mean, "no beard" too.
        self.meanings |= {
            _phrase(name.removeprefix("No_")): Term(name, True) for name in names if name.startswith("No_")
        }
        self.meanings |= {_phrase(name): Term(name) for name in names}
        self.superlatives = {
            phrase: _term(wanted) for phrase, wanted in SUPERLATIVES.items() if _term(wanted).attribute in known
        }
        self._kinds = {phrase: kind for kind, phrases in GRAMMAR.items() for phrase in phrases.split(", ")}
        self._kinds |= dict.fromkeys(self.superlatives, "SUPERLATIVE") | dict.fromkeys(self.meanings, "WORD")
        self._most = max(len(phrase.split()) for phrase in self._kinds)

    def tokens(self, text: str) -> list[Token]:
        """Return the tokens of a query.

        Raises:
            UsageError: a word is not known, or the query is too long or too deep.
        """
        if len(text) > LONGEST:
            raise UsageError(f"the query has {len(text):,} characters: say it in {LONGEST:,}")
        words = _words(text)
        found = []
        place = 0
        while place < len(words):
            kind, count = self._longest(words[place : place + self._most])
            if kind != "SKIP":
                found.append(Token(kind, " ".join(words[place : place + count])))
            place += count
        found = list(_with_people(_whom_nobody_is(found)))
        _refuse_depth(found)
        return found

    def _longest(self, words: Sequence[str]) -> tuple[str, int]:
        """Return the kind of the longest phrase at the beginning of these words, and how many words it has."""
        for count in range(len(words), 0, -1):
            kind = self._kinds.get(" ".join(words[:count]))
            if kind is not None:
                return kind, count
        if words[0] in _PUNCTUATION:
            return _PUNCTUATION[words[0]], 1
        if words[0].isdecimal():
            return "NUMBER", 1
        raise self._unknown(words)

    def _unknown(self, words: Sequence[str]) -> UsageError:
        phrases = list(self.meanings)
        tried = [" ".join(words[:count]) for count in range(min(3, len(words)), 0, -1)]
        near = list(dict.fromkeys(phrase for some in tried for phrase in get_close_matches(some, phrases, 3)))[:3]
        near = near or [phrase for phrase in phrases if words[0] in phrase.split()][:3]
        mend = f"nearest are {', '.join(map(repr, near))}" if near else "docs/search.md lists what there is"
        return UsageError(f"{words[0]!r} is no word for a face here: {mend}")


@lru_cache(maxsize=4)
def lexicon_of(names: tuple[str, ...]) -> Lexicon:
    """Return the words for these attributes."""
    return Lexicon(names)


def _term(wanted: str) -> Term:
    return Term(wanted.removeprefix("no "), wanted.startswith("no "))


def _phrase(attribute: str) -> str:
    """Return an attribute's name as it is found in a query, signs and all."""
    return " ".join(_words(words_of(attribute)))


def _words(text: str) -> list[str]:
    """Return words and punctuation, in small letters; what is shared by several words is said of each."""
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = " ".join(re.sub(r"[-_'’/!?\"“”]", " ", plain).split())  # noqa: RUF001, as people write it
    plain = _SHARED_HAIR.sub(_each_with_hair, plain)
    return re.findall(r"\w+|[^\w\s]", plain)


def _each_with_hair(some: re.Match[str]) -> str:
    """Say "hair" of each look: black, brown or blond hair."""
    looks = _LOOK_ALONE.sub(r"\1 hair", some[0].removesuffix("ed").removesuffix(" hair"))
    return looks.replace(",", " or ") if " or " in looks else looks


def _refuse_depth(tokens: list[Token]) -> None:
    """Refuse what would be a deeper tree than the functions that walk it have room for."""
    within: list[str] = []
    for token in tokens:
        if token.type in ("LPAR", "NOT"):
            within.append(token.type)
            if len(within) > DEEPEST:
                raise UsageError(f"more than {DEEPEST} brackets or 'not' are within one another: say it with fewer")
            continue
        closing = token.type == "RPAR"
        while within and (closing or within[-1] == "NOT"):
            closing &= within.pop() == "NOT"


def _is_noun(token: Token) -> bool:
    return token.type == "FACES" or (token.type == "WORD" and token.split()[-1] in NOUNS)


def _whom_nobody_is(tokens: list[Token]) -> Iterator[Token]:
    """Read "no bald men" as nobody being so: a "no" with people behind it."""
    for place, token in enumerate(tokens):
        if token == "no" and token.type == "NOT":
            behind = next(
                (t for t in tokens[place + 1 :] if _is_noun(t) or t.type not in ("WORD", "VERY", "MAYBE")), None
            )
            if behind is not None and _is_noun(behind):
                token = Token("NOBODY", "no")
        yield token


def _with_people(tokens: Iterator[Token]) -> Iterator[Token]:
    """Settle what separates: people from people (NEXT, OR_ELSE), what is said of one (AND), or nothing at all."""
    found: list[Token] = []
    separator = 0  # where one that may part people was seen last; 0 for nowhere
    head: Token | None = None  # the last token that stands for a person
    either = False  # an "or" was seen since
    for token in tokens:
        quantity = token.type in _QUANTITIES and not (found and found[-1].type in ("EXACTLY", "AT_LEAST", "AT_MOST"))
        if token.type in (*_SEPARATORS, "OR") and found and found[-1].type in _SEPARATORS:
            found.pop()  # ", and" and ", or" are one word
        if token.type in _SEPARATORS and found:
            separator = len(found)
            token = Token("AND", token)
        elif token.type == "OR":
            either = True
        elif quantity or _is_noun(token):
            if (head is not None or quantity) and separator and not either:
                found[separator] = Token("NEXT", found[separator])
            elif quantity and found and found[-1].type != "NEXT":
                found.append(Token("NEXT", ";"))
            elif head is not None and either and _is_noun(token):
                last = max(i for i, t in enumerate(found) if t.type == "OR")
                found[last] = Token("OR_ELSE", found[last])
            head, separator, either = token, 0, False
        elif token.type == "NEXT":
            head, separator, either = None, 0, False
        if token.type in ("BY", "SUPERLATIVE", "NEXT") and found and found[-1].type in ("AND", "NEXT"):
            found.pop()
        if token.type != "COMMA":
            found.append(token)
    while found and found[-1].type in ("AND", "NEXT"):
        found.pop()
    yield from found
