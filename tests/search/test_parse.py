"""A query is understood as a person means it, and said back in words that mean the same, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.errors import UsageError
from facelocus.search.parse import parse, parse_term
from facelocus.search.query import Term, words_of
from facelocus.search.words import GRAMMAR, PEOPLE, SUPERLATIVES, SYNONYMS
from small_model import SMALL

ONE = "at least 1 face: "

MEANT = {
    "smiling woman, blond or brown hair, no glasses, not blurry": (
        ONE + "smiling, not male, (blond hair or brown hair), not eyeglasses, not blurry"
    ),
    "Wearing_Hat and No_Beard": ONE + "wearing hat, no beard",
    "bearded man with a moustache and a tie": ONE + "beard, male, mustache, wearing necktie",
    "not bearded": ONE + "no beard",
    "5 o'clock shadow": ONE + "5 o clock shadow",
    "black, brown or blond hair": ONE + "black hair or brown hair or blond hair",
    "no hat or glasses": ONE + "not wearing hat, not eyeglasses",
    "neither glasses nor a hat": ONE + "not eyeglasses, not wearing hat",
    "smiling or not bald": ONE + "smiling or not bald",
    "bald man or blond woman": ONE + "(bald, male) or (blond hair, not male)",
    "(smiling and young) or (bald and old) man": ONE + "((smiling, young) or (bald, not young)), male",
    "very smiling, maybe a girl": ONE + "very smiling, not maybe male, maybe young",
    "young girl": ONE + "young, not male",
    "a photo of someone who is smiling": ONE + "smiling",
    "heavy makeup but no lipstick": ONE + "heavy makeup, not wearing lipstick",
    "clean-shaven": ONE + "no beard",
    "two people, one with a hat": "exactly 2 faces; at least 1 face: wearing hat",
    "two people one with a hat and one smiling": (
        "exactly 2 faces; at least 1 face: wearing hat; at least 1 face: smiling"
    ),
    "exactly 3 faces": "exactly 3 faces",
    "smiling, no beard, 5 faces": ONE + "smiling, no beard; exactly 5 faces",
    "at most 2 people": "at most 2 faces",
    "nobody": "exactly 0 faces",
    "nobody smiling": "exactly 0 faces: smiling",
    "no bald men": "exactly 0 faces: bald, male",
    "two people, no women": "exactly 2 faces; exactly 0 faces: not male",
    "everybody smiling": "every face: smiling",
    "man with hat and smiling woman with glasses": (
        "at least 1 face: male, wearing hat; at least 1 face: smiling, not male, eyeglasses"
    ),
    "man and man": "at least 2 faces: male",
    "1 man; 2 people; 2 men, 2 people": "at least 3 faces: male; exactly 2 faces",
    "nobody smiling; nobody smiling; nobody bald": "exactly 0 faces: smiling; exactly 0 faces: bald",
    "two smiling women and a man": "at least 2 faces: smiling, not male; at least 1 face: male",
    "at least two smiling women, youngest first": "at least 2 faces: smiling, not male; by young",
    "by smiling": "by smiling",
    "people with glasses sorted by not young": ONE + "eyeglasses; by not young",
    "old man, most smiling first": ONE + "male, not young; by smiling",
}


@pytest.mark.parametrize("text", MEANT)
def test_a_query_is_understood(text: str) -> None:
    assert str(parse(text, CELEBA)) == MEANT[text]


@pytest.mark.parametrize("attribute", CELEBA.names)
def test_every_attribute_is_known_by_its_name_and_every_synonym_means_it(attribute: str) -> None:
    assert str(parse(attribute, CELEBA)) == str(parse(words_of(attribute), CELEBA)) == ONE + words_of(attribute)
    for phrase in SYNONYMS[attribute].split(", "):
        word = phrase.removeprefix("no ")
        term = parse_term(word, CELEBA)
        assert term.attribute == attribute, phrase
        assert term.negated == (word != phrase), phrase


def test_the_table_of_words_says_nothing_twice() -> None:
    phrases = [phrase.removeprefix("no ") for some in SYNONYMS.values() for phrase in some.split(", ")]
    phrases += [phrase for kind in (PEOPLE, GRAMMAR.values()) for some in kind for phrase in some.split(", ")]
    phrases += SUPERLATIVES
    assert len(phrases) == len(set(phrases)), sorted({phrase for phrase in phrases if phrases.count(phrase) > 1})
    assert set(SYNONYMS) == set(CELEBA.names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smiling womn", "'womn' is no word for a face here: nearest are 'women'"),
        ("black man", "'black' .* 'black hair'"),
        ("smilng", "nearest are 'smiling'"),
        ("qqqq", "docs/search.md"),
        ("smiling or", "breaks off"),
        ("and smiling", "'and' makes no sense where it stands"),
        ("(smiling", "breaks off"),
        ("smiling)", "makes no sense"),
        ("man who is not a man", "no face is 'male' and 'not male'"),
        ("by old woman", "cannot be put in order"),
        ("", "nothing is searched for"),
        ("not a face", "not"),
        (" or ".join(words_of(name) for name in CELEBA.names), "more than 24"),
        ("x" * 2000, "2,000 characters"),
        ("(" * 125 + "smiling" + ")" * 125, "more than 24 brackets"),
        ("no " * 300 + "hat", "more than 24 brackets or 'not'"),
        ("no (" * 13 + "hat" + ")" * 13, "more than 24 brackets or 'not'"),
        ("3 smiling people and 4 bald people", "more than 6 people"),
    ],
)
def test_what_is_not_understood_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        parse(text, CELEBA)
    assert "\n" not in str(refused.value)


def test_brackets_side_by_side_are_not_counted_as_within_one_another() -> None:
    words = [words_of(name) for name in CELEBA.names[:22]]
    assert str(parse(", ".join(f"(not (not ({word})))" for word in words), CELEBA)) == ONE + ", ".join(words)
    assert str(parse("(" * 24 + "smiling" + ")" * 24, CELEBA)) == ONE + "smiling"


def test_attributes_of_ones_own_are_known_by_their_names_alone() -> None:
    assert str(parse("left_red or not right dark", SMALL)) == ONE + "left red or not right dark"
    with pytest.raises(UsageError, match="no word"):
        parse("smiling", SMALL)


@pytest.mark.parametrize("name", ["race=White", "age=20-29", "face-mask", "size=(1, 2]", "o'clock", "No_mask?"])
def test_an_attribute_with_signs_in_its_name_is_known_by_it(name: str) -> None:
    own = AttributeSet(("Young", name), ("whole face",), ("whole face",) * 2)
    for text in (name, words_of(name), str(Term(name))):
        assert parse(text, own).people[0].so == Term(name)
    assert parse_term(f"not {words_of(name)}", own) == Term(name, True)


WORDS = st.sampled_from([
    "smiling", "hat", "man", "woman", "girl", "no", "not", "and", "or", ",", ";", "(", ")", "two", "3", "exactly",
    "at least", "nobody", "everybody", "people", "very", "maybe", "by", "youngest", "first", "blond", "hair", "with",
    "beard", "old boy", "at most", "most", "one", "a", "glasses",
])  # fmt: skip


@given(st.lists(WORDS, max_size=12))
@settings(max_examples=400, deadline=None)
def test_whatever_is_said_is_refused_or_said_back_in_words_that_mean_the_same(words: list[str]) -> None:
    try:
        query = parse(" ".join(words), CELEBA)
    except UsageError:
        return
    assert parse(str(query), CELEBA) == query
    assert str(parse(str(query), CELEBA)) == str(query)
