"""What is searched for, once it is understood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

#: Degree -> how it is written. One that is very much so needs more evidence, one that may be so less.
DEGREES = {1: "very ", 0: "", -1: "maybe "}


@dataclass(frozen=True)
class Term:
    """One attribute, or its opposite.

    Attributes:
        attribute: its name in the model.
        negated: it is asked that this is not so.
        degree: of DEGREES.

    str gives it in words that are understood as the same.
    """

    attribute: str
    negated: bool = False
    degree: int = 0

    def __invert__(self) -> Term:
        return replace(self, negated=not self.negated)

    def __str__(self) -> str:
        # Not "no beard" is beard.
        bare = self.negated and self.attribute.startswith("No_")
        name = words_of(self.attribute.removeprefix("No_") if bare else self.attribute)
        return ("not " if self.negated and not bare else "") + DEGREES[self.degree] + name


@dataclass(frozen=True)
class All:
    """All of these hold of one face; two or more."""

    parts: tuple[Expression, ...]

    def __invert__(self) -> Any_:
        return Any_(tuple(~part for part in self.parts))

    def __str__(self) -> str:
        return ", ".join(f"({part})" if isinstance(part, Any_) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Any_:  # noqa: N801, typing has the other name
    """At least one of these holds of one face; two or more."""

    parts: tuple[Expression, ...]

    def __invert__(self) -> All:
        return All(tuple(~part for part in self.parts))

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, All) else str(part) for part in self.parts)


Expression = Term | All | Any_

Quantity = Literal["at least", "exactly", "at most", "every"]


@dataclass(frozen=True)
class People:
    """How many faces of a picture are so.

    Attributes:
        quantity: "every" is of a picture with a face or more.
        number: of faces; 0 with "every".
        so: what they are; None: only faces are counted.
    """

    quantity: Quantity
    number: int
    so: Expression | None

    def __str__(self) -> str:
        if self.quantity == "every":
            return f"every face: {self.so}"
        faces = f"{self.quantity} {self.number} {'face' if self.number == 1 else 'faces'}"
        return faces if self.so is None else f"{faces}: {self.so}"


@dataclass(frozen=True)
class Query:
    """Pictures of which all of `people` holds, each face standing for one of the people that are asked for.

    Attributes:
        people: none: every picture with a face.
        by: the attribute by whose strength the pictures are put in order; None: by how well they match.
    """

    people: tuple[People, ...]
    by: Term | None = None

    def __str__(self) -> str:
        """Return it in words that are understood as the same."""
        parts = [str(people) for people in self.people]
        order = [] if self.by is None else [f"by {self.by}"]
        return "; ".join(parts + order)


def terms(expression: Expression | None) -> Iterator[Term]:
    """Yield the terms of an expression, in order."""
    if isinstance(expression, Term):
        yield expression
    elif expression is not None:
        for part in expression.parts:
            yield from terms(part)


def parts(query: Query) -> Iterator[tuple[str, Query | None]]:
    """Yield what a query asks for one by one, each with the query that is left without it; None where nothing is."""
    for k, people in enumerate(query.people):
        before, after = query.people[:k], query.people[k + 1 :]
        if isinstance(people.so, All):
            for part in people.so.parts:
                kept = tuple(other for other in people.so.parts if other is not part)
                left = replace(people, so=All(kept) if len(kept) > 1 else kept[0])
                yield _said_of(people, part), replace(query, people=(*before, left, *after))
        else:
            rest = replace(query, people=before + after)
            yield _said_of(people, people.so), rest if rest.people or rest.by else None
    if query.by is not None:
        yield f"by {query.by}", replace(query, by=None) if query.people else None


def _said_of(people: People, so: Expression | None) -> str:
    """Return what is said of these people, of one face in the words of `so` alone."""
    one = (people.quantity, people.number) == ("at least", 1)
    return str(so) if one and so is not None else str(replace(people, so=so))


def words_of(attribute: str) -> str:
    """Return an attribute's name in small words."""
    return attribute.replace("_", " ").lower()
