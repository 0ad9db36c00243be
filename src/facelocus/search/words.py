"""The words of the query language: one table of them all.

An attribute is always known by its own name, in small words. An entry that begins with "no " means the opposite of the
attribute. What is not here is refused: no attribute says it.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Attribute -> what people call it; several words are one phrase.
SYNONYMS: Mapping[str, str] = {
    "5_o_Clock_Shadow": "5 o clock shadow, five o clock shadow, stubble, stubbly, unshaven, unshaved, designer stubble",
    "Arched_Eyebrows": "arched brows, arched eyebrow, raised eyebrows, curved eyebrows",
    "Attractive": "beautiful, pretty, handsome, good looking, goodlooking, cute",
    "Bags_Under_Eyes": "bags under the eyes, eye bags, bags, dark circles, dark rings, tired eyes",
    "Bald": "bald headed, baldness, hairless, shaved head",
    "Bangs": "fringe",
    "Big_Lips": "full lips, large lips, thick lips",
    "Big_Nose": "large nose, broad nose, wide nose",
    "Black_Hair": "black haired",
    "Blond_Hair": "blond, blonde, blondes, blonde hair, blond haired, blonde haired, fair hair, fair haired",
    "Blurry": "blurred, blur, out of focus, unsharp, no sharp, no in focus",
    "Brown_Hair": "brunette, brown haired, brunet",
    "Bushy_Eyebrows": "bushy brows, thick eyebrows, thick brows, bushy eyebrow",
    "Chubby": "fat, plump, overweight, round face, round faced, no slim, no thin, no skinny",
    "Double_Chin": "double chinned",
    "Eyeglasses": "glasses, spectacles, sunglasses, shades, specs, bespectacled, eye glasses",
    "Goatee": "chin beard, goatees",
    "Gray_Hair": (
        "grey hair, gray haired, grey haired, white hair, white haired, silver hair, silver haired, gray, grey"
    ),
    "Heavy_Makeup": "makeup, make up, heavy make up, made up",
    "High_Cheekbones": "cheekbones, high cheek bones",
    "Male": (
        "man, men, gentleman, gentlemen, guy, guys, masculine, "
        "no woman, no women, no lady, no ladies, no female, no females, no feminine"
    ),
    "Mouth_Slightly_Open": "mouth open, open mouth, open mouthed, lips apart, no mouth closed, no closed mouth",
    "Mustache": "moustache, mustaches, moustaches, mustached, moustached",
    "Narrow_Eyes": "squinting, half closed eyes, slit eyes, small eyes",
    "No_Beard": "clean shaven, shaven, shaved, beardless, no beard, no beards, no bearded, no facial hair",
    "Oval_Face": "oval faced, oval",
    "Pale_Skin": "pale, pale skinned, fair skin, light skin",
    "Pointy_Nose": "pointed nose, pointy nosed, sharp nose, narrow nose",
    "Receding_Hairline": "receding hair, receding, high forehead, thinning hair",
    "Rosy_Cheeks": "red cheeks, rosy, rosy cheeked, blushing, blush",
    "Sideburns": "sideburn, side whiskers, muttonchops",
    "Smiling": "smile, smiles, smiley, grinning, grin, laughing, happy",
    "Straight_Hair": "straight haired",
    "Wavy_Hair": "wavy, wavy haired, curly, curly hair, curly haired, curls",
    "Wearing_Earrings": "earrings, earring, ear rings",
    "Wearing_Hat": "hat, hats, cap, caps, helmet, headscarf, beanie, headwear",
    "Wearing_Lipstick": "lipstick, painted lips, red lips",
    "Wearing_Necklace": "necklace, necklaces, pendant",
    "Wearing_Necktie": "necktie, neckties, tie, ties, bow tie, bowtie",
    "Young": "youthful, no old, no elderly, no aged, no senior",
}

#: People of an age: the attributes that all hold, "no " for the opposite.
PEOPLE: Mapping[str, str] = {
    "girl, girls, young lady, young ladies": "no Male, Young",
    "boy, boys, lad, lads": "Male, Young",
    "old man, old men, grandfather, grandpa": "Male, no Young",
    "old woman, old women, old lady, old ladies, grandmother, grandma": "no Male, no Young",
}

#: What stands for a person: what is said before and after it is of this one.
NOUNS = frozenset({
    "man", "men", "gentleman", "gentlemen", "guy", "guys", "woman", "women", "lady", "ladies", "girl", "girls", "boy",
    "boys", "lad", "lads", "grandfather", "grandpa", "grandmother", "grandma", "blondes",
})  # fmt: skip

#: Hair that is named by its look alone where another follows: "black or brown hair".
HAIR = ("black", "blond", "blonde", "brown", "gray", "grey", "white", "straight", "wavy", "curly", "fair")

#: The words that hold a query together: kind -> phrases.
GRAMMAR: Mapping[str, str] = {
    "AND": "and, &, plus, but",
    "OR": "or, nor, and or, |",
    "NOT": "not, no, without, neither, never, nothing, isn t, aren t, non",
    "VERY": "very, clearly, really, definitely, certainly, obviously, strongly, extremely, surely",
    "MAYBE": "maybe, perhaps, possibly, slightly, somewhat, probably, a little, a bit, kind of",
    "EXACTLY": "exactly, only, just",
    "AT_LEAST": "at least, minimum, no fewer than, no less than",
    "AT_MOST": "at most, maximum, no more than, up to",
    "NOBODY": "nobody, no one, noone, no people, no person, no face, no faces, none, without people, without faces",
    "EVERY": "everybody, everyone, every face, all faces, all people, every person, each face, each, every",
    "FACES": "face, faces, people, person, persons, portrait, portraits, someone, somebody, anyone, anybody, folks",
    "BY": "by, sorted by, sort by, ordered by, order by, in order of, most",
    "FIRST": "first",
    "NUMBER": "one, two, three, four, five, six, seven, eight, nine, ten, couple, pair",
    "SKIP": (
        "a, an, the, with, has, have, having, wearing, wears, is, are, was, who, whose, that, which, in, on, of, his, "
        "her, their, some, photo of, photos of, picture of, pictures of, photograph of, photographs of, image of, "
        "images of, pictures, photos, show, find, me, them, there, looking, both, either, as well, also, too"
    ),
}

#: Words of order: phrase -> the attribute, "no " for the opposite.
SUPERLATIVES: Mapping[str, str] = {
    "youngest": "Young",
    "oldest": "no Young",
    "happiest": "Smiling",
    "sharpest": "no Blurry",
    "palest": "Pale_Skin",
}

#: Number words from one on.
NUMBERS: Mapping[str, int] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "couple": 2, "pair": 2,
}  # fmt: skip
