"""Pictures come in the order of how probable they are, the same as one by one by hand, and each says why."""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest

from facelocus.attributes import CELEBA
from facelocus.library.scores import Scores, decode
from facelocus.search import rank as rank_module
from facelocus.search.evidence import STEP, Evidence
from facelocus.search.parse import parse
from facelocus.search.people import assigned
from facelocus.search.query import All, Any_, Expression, People, Query, Term
from facelocus.search.rank import best_faces, rank
from libraries import scores_of

NAMES = ("Smiling", "Male", "Wearing_Hat", "Eyeglasses", "Young")


@pytest.fixture(scope="module")
def scores() -> Scores:
    """300 pictures of none to four faces."""
    chance = np.random.default_rng(0)
    return scores_of(
        [[dict(zip(NAMES, chance.random(5), strict=True)) for _ in range(chance.integers(0, 5))] for _ in range(300)]
    )


def by_hand(scores: Scores, so: Expression, face: int) -> float:
    if isinstance(so, Term):
        logit = float(decode(scores.logits[CELEBA.names.index(so.attribute), face : face + 1])[0]) - STEP * so.degree
        p = 1 / (1 + math.exp(-logit))
        return 1 - p if so.negated else p
    if isinstance(so, All):
        return math.prod(by_hand(scores, part, face) for part in so.parts)
    return 1 - math.prod(1 - by_hand(scores, part, face) for part in so.parts)


def of_people(scores: Scores, query: Query, picture: int) -> float:
    """Try every way to give the people that are asked for faces of the picture."""
    faces = range(int(scores.starts[picture]), int(scores.starts[picture + 1]))
    total, slots = 1.0, list[Expression]()
    for people in query.people:
        ps = [] if people.so is None else sorted((by_hand(scores, people.so, face) for face in faces), reverse=True)
        if people.so is None:
            count = len(faces)
            fits = {
                "exactly": count == people.number,
                "at least": count >= people.number,
                "at most": count <= people.number,
            }
            total *= fits[people.quantity]
        elif people.quantity == "at least":
            slots += [people.so] * people.number
        elif not faces:
            return 0
        elif people.quantity == "every":
            total *= math.prod(ps)
        else:
            total *= math.prod(1 - p for p in ps[people.number :])
            if people.quantity == "exactly":
                total *= math.prod(ps[: people.number]) * (len(ps) >= people.number)
    ways = [way for way in product(faces, repeat=len(slots)) if len(set(way)) == len(way)]
    return total * max(
        (math.prod(by_hand(scores, so, f) for so, f in zip(slots, way, strict=True)) for way in ways), default=0
    )


QUERIES = [
    "smiling man",
    "smiling or hat",
    "no hat or glasses, very smiling",
    "(smiling and young) or (hat and not male)",
    "maybe smiling, not very young",
    "nobody smiling",
    "everybody smiling",
    "two smiling people",
    "exactly 2 smiling people",
    "at most 1 smiling person",
    "exactly 3 faces",
    "3 people, one with a hat",
    "man with hat and woman with glasses",
    "two people, one with a hat and one smiling",
    "2 smiling women and a man",
    "nobody",
    "at most 2 people, no men",
    "man and man",
    "nobody smiling; nobody smiling",
]


@pytest.mark.parametrize("text", QUERIES)
def test_the_order_and_the_scores_are_those_made_by_hand(scores: Scores, text: str) -> None:
    query = parse(text, CELEBA)
    expected = np.array([of_people(scores, query, picture) for picture in range(300)])
    found = rank(scores, CELEBA, query, 25)
    best = np.sort(expected)[::-1]
    assert [match.score for match in found] == pytest.approx(best[best > 0][:25].tolist(), rel=1e-4)
    assert [match.score for match in found] == pytest.approx([expected[match.picture] for match in found], rel=1e-4)
    assert len({match.picture for match in found}) == len(found)


@pytest.mark.parametrize("text", QUERIES)
def test_each_picture_is_explained_by_its_own_faces(scores: Scores, text: str) -> None:
    query = parse(text, CELEBA)
    asked = [people for people in query.people if people.so is not None and people.quantity == "at least"]
    for match in rank(scores, CELEBA, query, 10):
        rows = [face.row for face in match.faces]
        assert all(scores.starts[match.picture] <= row < scores.starts[match.picture + 1] for row in rows)
        if asked and len(asked) == len([people for people in query.people if people.so is not None]):
            assert len(set(rows)) == len(rows) == sum(people.number for people in asked)
            assert math.prod(face.probability for face in match.faces) == pytest.approx(match.score, rel=1e-4)
        for face in match.faces:
            assert all(0 <= value <= 1 for value in face.terms.values())


@pytest.mark.parametrize("text", ["smiling man", "by young", "young by smiling", "man and woman", "two men by young"])
def test_a_later_part_is_that_of_the_whole_and_alone_is_explained(
    scores: Scores, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = parse(text, CELEBA)
    whole = rank(scores, CELEBA, query, 12)
    explained = []

    def counting(evidence: Evidence, row: int, so: Expression, by: Term | None) -> rank_module.Seen:
        explained.append(row)
        return seen(evidence, row, so, by)

    seen = rank_module._seen
    monkeypatch.setattr(rank_module, "_seen", counting)
    part = rank(scores, CELEBA, query, 4, offset=8)
    assert part == whole[8:] and len(part) == 4
    assert explained == [face.row for match in part for face in match.faces]


@pytest.mark.parametrize(("people", "faces"), [(2, 2), (3, 7), (4, 5), (6, 6), (6, 7)])
def test_people_are_given_faces_as_if_every_way_had_been_tried(people: int, faces: int) -> None:
    chance = np.random.default_rng(people + faces)
    ways = np.array(list(permutations(range(faces), people)))
    logs = np.log(chance.random((5, people, faces)))
    for values, chosen, total in zip(logs, *assigned(logs), strict=True):
        sums = values[np.arange(people), ways].sum(axis=1)
        assert chosen.tolist() == ways[sums.argmax()].tolist()
        assert total == pytest.approx(sums.max())


def test_at_least_none_is_asked_of_nobody(scores: Scores) -> None:
    found = rank(scores, CELEBA, parse("at least 0 smiling people; at least 0 bald people", CELEBA), 300)
    assert [(match.score, match.faces) for match in found] == [(1, ())] * int((np.diff(scores.starts) > 0).sum())


def test_a_picture_in_which_only_one_face_could_be_any_of_the_people_is_not_found() -> None:
    parts = [All(tuple(map(Term, CELEBA.names[start : start + 8]))) for start in (0, 8, 16, 24)]
    query = Query((People("at least", 1, Any_(tuple(parts[:2]))), People("at least", 1, Any_(tuple(parts[2:])))))
    likely, impossible = (dict.fromkeys(CELEBA.names, p) for p in (0.9, 1e-9))
    found = rank(scores_of([[likely, impossible], [likely, likely]]), CELEBA, query, 2)
    assert [match.picture for match in found] == [1]


def test_an_order_that_is_asked_for_is_of_what_matches(scores: Scores) -> None:
    found = rank(scores, CELEBA, parse("smiling man by young", CELEBA), 300)
    query = parse("smiling man", CELEBA)
    so = query.people[0].so
    assert so is not None
    matching = {p for p in range(300) if of_people(scores, query, p) >= rank_module.MATCHES}
    assert {match.picture for match in found} == matching
    young = [by_hand(scores, Term("Young"), match.faces[0].row) for match in found]
    assert young == sorted(young, reverse=True)
    everyone = rank(scores, CELEBA, parse("by not young", CELEBA), 5)
    old = [match.score for match in everyone]
    assert old == sorted(old, reverse=True)
    assert old[0] == pytest.approx(
        1 - min(by_hand(scores, Term("Young"), f) for f in range(len(scores.faces))), rel=1e-4
    )


@pytest.mark.parametrize(
    "text", ["smiling man", "smiling or hat, not young", "hat", "not hat", "(smiling, male) or (hat, young)"]
)
@pytest.mark.parametrize("limit", [1, 20, 3000])
def test_looking_at_few_faces_first_finds_the_same(text: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces sorted so that a sample of some of them misleads."""
    chance = np.random.default_rng(1)
    table = {name: np.sort(chance.beta(0.3, 0.5, 2000)) for name in NAMES}
    faces = [[{name: float(values[i]) for name, values in table.items()}] for i in range(2000)]
    evidence = Evidence(scores_of(faces), CELEBA)
    so = parse(text, CELEBA).people[0].so
    assert so is not None
    whole = best_faces(evidence, so, limit)
    monkeypatch.setattr(rank_module, "_SAMPLE", 50)
    assert best_faces(evidence, so, limit).tolist() == whole.tolist()
    assert len(whole) == min(limit, 2000)


def test_men_who_are_named_one_by_one_are_as_many() -> None:
    pictures = [[{"Male": 0.9}, {"Male": 0.1}], [{"Male": 0.7}, {"Male": 0.8}]]
    for text in ("man and man", "1 man; 1 man", "two men"):
        found = rank(scores_of(pictures), CELEBA, parse(text, CELEBA), 2)
        assert [(match.picture, len(match.faces)) for match in found] == [(1, 2), (0, 2)]
        assert [match.score for match in found] == pytest.approx([0.56, 0.09], rel=1e-3)


def test_more_people_than_there_are_cost_nothing() -> None:
    pictures = [[{"Male": 0.9}, {"Male": 0.1}]]
    for text in ("99999999999 men", "99999999999999999999999 smiling men", "at most 99999999999 men"):
        found = rank(scores_of(pictures), CELEBA, parse(text, CELEBA), 2)
        assert [match.picture for match in found] == ([0] if "most" in text else [])


def test_none_are_asked_for() -> None:
    pictures = [[{"Male": 0.9}, {"Male": 0.1}]]
    for text in ("man", "a man and a woman", "by young", "nobody", "everybody smiling"):
        assert rank(scores_of(pictures), CELEBA, parse(text, CELEBA), 0) == []


def test_an_order_alone_leaves_out_what_scores_too_little() -> None:
    pictures = [[{"Smiling": 0.9}], [{"Smiling": 0.2}], [{"Smiling": 0.6}]]
    for least, order in ((0.0, [0, 2, 1]), (0.5, [0, 2])):
        found = rank(scores_of(pictures), CELEBA, parse("by smiling", CELEBA), 3, least)
        assert [match.picture for match in found] == order


def test_probabilities_near_one_are_told_apart() -> None:
    faces = [[{"Smiling": 1 - 10**-power}] for power in (3, 6, 4, 5)]
    found = rank(scores_of(faces), CELEBA, parse("smiling", CELEBA), 4)
    assert [match.picture for match in found] == [1, 3, 2, 0]


def test_a_library_without_a_face_answers_everything() -> None:
    none = scores_of([[], []])
    for text in QUERIES:
        assert [match.picture for match in rank(none, CELEBA, parse(text, CELEBA), 5)] == (
            [0, 1] if text == "nobody" else []
        )
    assert rank(none, CELEBA, Query((People("at least", 1, Any_((Term("Young"), Term("Male")))),)), 5) == []
