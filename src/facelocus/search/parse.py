"""Words -> a query."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError
from lark.lexer import Lexer

from facelocus.attributes import AttributeSet
from facelocus.errors import FacelocusError, UsageError
from facelocus.search.lexicon import Lexicon, lexicon_of
from facelocus.search.query import All, Any_, Expression, People, Query, Term, terms
from facelocus.search.words import NUMBERS

#: Terms of a query: more are no description.
MOST_TERMS = 24
#: People of a query who are told apart.
MOST_PEOPLE = 6


def parse(text: str, attributes: AttributeSet) -> Query:
    """Return what a query says; str of it is the same in the words of the attributes.

    Raises:
        UsageError: a word is not known (the message names the nearest), or they do not make a query.
    """
    lexicon = lexicon_of(attributes.names)
    tokens = lexicon.tokens(text)
    try:
        query: Query = _Meaning(lexicon).transform(_grammar().parse(tokens))
    except UnexpectedInput as error:
        token = getattr(error, "token", None)
        if token is None or token.type == "$END":
            raise UsageError(f"{text!r} breaks off: say what comes at its end") from error
        raise UsageError(f"{str(token)!r} makes no sense where it stands: say it in other words") from error
    except VisitError as error:
        if isinstance(error.orig_exc, FacelocusError):
            raise error.orig_exc from None
        raise
    if not query.people and query.by is None:
        raise UsageError("nothing is searched for: say how a face looks, 'smiling woman, no glasses' say")
    return query


def parse_term(text: str, attributes: AttributeSet) -> Term:
    """Return the one attribute, or its opposite, that is named.

    Raises:
        UsageError: it is not one.
    """
    query = parse(f"by {text}", attributes)
    if query.by is None or query.people:
        raise UsageError(f"{text!r} is not one attribute: name one, 'smiling' or 'not young' say")
    return query.by


class _Tokens(Lexer):
    """Lark wants a lexer; the tokens are made already."""

    def __init__(self, _: Any) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]
        yield from data


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = importlib.resources.files("facelocus.search").joinpath("query.lark").read_text(encoding="utf-8")
    return Lark(text, start="query", parser="lalr", lexer=_Tokens)


class _Meaning(Transformer[Token, Any]):
    """The tree of a query, from its leaves up; each method is a rule of query.lark."""

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def word(self, parts: list[Token]) -> Expression:
        return self._lexicon.meanings[str(parts[0])]

    def very(self, parts: list[Token]) -> Expression:
        return _with_degree(self._lexicon.meanings[str(parts[1])], 1)

    def maybe(self, parts: list[Token]) -> Expression:
        return _with_degree(self._lexicon.meanings[str(parts[1])], -1)

    def nothing(self, _: list[Token]) -> None:
        return None

    def plain(self, parts: list[Any]) -> Expression | None:
        (inside,) = (part for part in parts if not isinstance(part, Token))
        return inside  # type: ignore[no-any-return]

    def negated(self, parts: list[Any]) -> Expression:
        if parts[-1] is None:
            raise UsageError("'not' stands before what is no attribute: say 'nobody', or what the face is not")
        return ~parts[-1]  # type: ignore[no-any-return]

    def any_of(self, parts: list[Any]) -> Expression | None:
        meant = [part for part in parts if not isinstance(part, Token)]
        return None if None in meant else _joined(Any_, meant)

    def all_of(self, parts: list[Any]) -> Expression | None:
        meant = [part for part in parts if part is not None and not isinstance(part, Token)]
        return _joined(All, meant) if meant else None

    def about(self, parts: list[Token]) -> tuple[str, int]:
        return "about", _number(parts[0])

    def exactly(self, parts: list[Token]) -> tuple[str, int]:
        return "exactly", _number(parts[1])

    def at_least(self, parts: list[Token]) -> tuple[str, int]:
        return "at least", _number(parts[1])

    def at_most(self, parts: list[Token]) -> tuple[str, int]:
        return "at most", _number(parts[1])

    def nobody(self, _: list[Token]) -> tuple[str, int]:
        return "exactly", 0

    def every(self, _: list[Token]) -> tuple[str, int]:
        return "every", 0

    def people(self, parts: list[Any]) -> People:
        quantity: Any
        quantity, number = parts.pop(0) if isinstance(parts[0], tuple) else ("at least", 1)
        so = parts[0] if parts else None
        if quantity == "about":
            return People("exactly" if so is None else "at least", number, so)
        if quantity == "every" and so is None:
            return People("at least", 1, None)
        return People(quantity, number, so)

    def order(self, parts: list[Any]) -> Term:
        return _one_term(parts[1])

    def superlative(self, parts: list[Token]) -> Term:
        return self._lexicon.superlatives[str(parts[0])]

    def query(self, parts: list[Any]) -> Query:
        people = _each_once(part for part in parts if isinstance(part, People))
        by = next((part for part in parts if isinstance(part, Term)), None)
        if sum(len(list(terms(each.so))) for each in people) > MOST_TERMS:
            raise UsageError(f"more than {MOST_TERMS} attributes are asked for: name those that matter")
        told_apart = sum(each.number for each in people if each.so is not None and each.quantity == "at least")
        if len(people) > 1 and told_apart > MOST_PEOPLE:
            raise UsageError(f"more than {MOST_PEOPLE} people are described: describe fewer")
        return Query(people, by)


def _each_once(asked: Iterable[People]) -> tuple[People, ...]:
    """Add up those who are described alike, as each stands for another face; keep one of what else is said twice."""
    numbers: dict[People, int] = {}
    for people in asked:
        if people.so is not None and people.quantity == "at least":
            alike = replace(people, number=0)
            numbers[alike] = numbers.get(alike, 0) + people.number
        else:
            numbers[people] = people.number
    return tuple(replace(people, number=number) for people, number in numbers.items())


def _with_degree(meaning: Expression, degree: int) -> Expression:
    if isinstance(meaning, Term):
        return replace(meaning, degree=degree)
    return type(meaning)(tuple(_with_degree(part, degree) for part in meaning.parts))


def _joined(kind: type[All] | type[Any_], parts: list[Expression]) -> Expression:
    """Join expressions: what is of the same kind becomes one, what is said twice is said once."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))]
    once = tuple(dict.fromkeys(flat))
    if kind is All:
        once = _strictest(once)
    return once[0] if len(once) == 1 else kind(once)


def _strictest(parts: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """Keep, of what is asked of one attribute in several degrees, the strictest: said twice it holds no less."""
    kept: dict[str, Term] = {}
    for part in parts:
        if isinstance(part, Term):
            before = kept.get(part.attribute, part)
            if before.negated != part.negated:
                raise UsageError(f"no face is '{before}' and '{part}': name one of the two")
            kept[part.attribute] = max(before, part, key=lambda term: -term.degree if term.negated else term.degree)
    return tuple(dict.fromkeys(kept[part.attribute] if isinstance(part, Term) else part for part in parts))


def _one_term(meaning: Expression) -> Term:
    if not isinstance(meaning, Term):
        raise UsageError(f"pictures cannot be put in order by '{meaning}': name one attribute")
    return meaning


def _number(token: Token) -> int:
    return NUMBERS[str(token)] if str(token) in NUMBERS else int(token)
