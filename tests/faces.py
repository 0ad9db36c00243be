"""Drawn faces and small data sets made of them; what is drawn can be learnt from the labels.

The drawing follows CelebA's aligned frame: eyes near (69, 111) and (108, 111), mouth near (88, 152).
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from facelocus.attributes import CELEBA, FRAME

#: The attributes that draw_face draws, each with its share among drawn faces; others are noise.
DRAWN = {
    "Eyeglasses": 0.5,
    "Smiling": 0.5,
    "Wearing_Hat": 0.4,
    "Blond_Hair": 0.4,
    "Wearing_Lipstick": 0.4,
    "Mustache": 0.3,
    "Wearing_Necktie": 0.4,
}


def drawn_attributes(seed: int) -> frozenset[str]:
    """Return the attributes a drawn face of this seed has by default."""
    random = np.random.default_rng((seed, 1))
    return frozenset(name for name, share in DRAWN.items() if random.random() < share)


def draw_face(seed: int, attributes: Collection[str] | None = None) -> npt.NDArray[np.uint8]:
    """Draw one aligned face with coarse visible differences.

    Args:
        seed: colours and small shifts follow from it.
        attributes: names that are true; those in DRAWN are drawn. By default drawn_attributes(seed).

    Returns:
        uint8, 218 x 178 x 3, RGB.
    """
    has = drawn_attributes(seed) if attributes is None else frozenset(attributes)
    random = np.random.default_rng((seed, 0))
    rows, columns, _ = FRAME
    background = tuple(int(value) for value in random.integers(60, 200, 3))
    skin = tuple(int(value) for value in np.array([225, 180, 150]) - random.integers(0, 80))
    hair = (235, 205, 90) if "Blond_Hair" in has else (45, 30, 25)
    dx, dy = (int(value) for value in random.integers(-4, 5, 2))
    canvas = Image.new("RGB", (columns, rows), background)
    draw = ImageDraw.Draw(canvas)

    def box(x0: int, y0: int, x1: int, y1: int) -> tuple[int, int, int, int]:
        return x0 + dx, y0 + dy, x1 + dx, y1 + dy

    draw.ellipse(box(36, 45, 140, 190), fill=hair)
    draw.rectangle(box(70, 170, 106, 217), fill=skin)
    draw.ellipse(box(44, 62, 132, 186), fill=skin)
    for x in (69, 108):
        draw.ellipse(box(x - 8, 107, x + 8, 116), fill=(245, 245, 245))
        draw.ellipse(box(x - 4, 107, x + 4, 116), fill=(40, 30, 30))
        if "Eyeglasses" in has:
            draw.ellipse(box(x - 17, 97, x + 17, 126), outline=(10, 10, 10), width=4)
    if "Eyeglasses" in has:
        draw.line(box(84, 111, 93, 111), fill=(10, 10, 10), width=4)
    draw.polygon([(88 + dx, 118 + dy), (81 + dx, 138 + dy), (95 + dx, 138 + dy)], fill=(150, 105, 90))
    if "Mustache" in has:
        draw.rectangle(box(70, 140, 106, 147), fill=(45, 30, 25))
    lips = (200, 20, 60) if "Wearing_Lipstick" in has else (150, 85, 80)
    if "Smiling" in has:
        draw.chord(box(66, 138, 110, 170), 0, 180, fill=(255, 255, 255), outline=lips, width=4)
    else:
        draw.rectangle(box(74, 152, 102, 158), fill=lips)
    if "Wearing_Hat" in has:
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        draw.rectangle(box(50, 20, 126, 70), fill=colour)
        draw.rectangle(box(28, 66, 148, 78), fill=colour)
    if "Wearing_Necktie" in has:
        draw.polygon([(88 + dx, 188 + dy), (74 + dx, 217), (102 + dx, 217)], fill=(150, 20, 30))
    noise = random.integers(-6, 7, FRAME)
    face: npt.NDArray[np.uint8] = np.clip(np.asarray(canvas) + noise, 0, 255).astype(np.uint8)
    return face


def write_celeba(folder: Path, count: int, seed: int = 0) -> Path:
    """Write drawn faces in the official arrangement of CelebA and return the folder.

    The lists lie in `folder`, the JPEG files in its `img_align_celeba`. Three faces a person; of every five
    people three are train, one validation and one test, so 15 faces have all splits. Attributes that are not
    in DRAWN are noise, from the seed.
    """
    images = folder / "img_align_celeba"
    images.mkdir(parents=True)
    random = np.random.default_rng(seed)
    labels = [str(count), " ".join(CELEBA.names) + " "]
    partitions, identities = [], []
    for index in range(count):
        name = f"{index + 1:06d}.jpg"
        face_seed = seed * 1_000_003 + index
        has = drawn_attributes(face_seed)
        Image.fromarray(draw_face(face_seed, has)).save(images / name, quality=92)
        noise = random.random(len(CELEBA)) < 0.5
        values = [
            (attribute in has) if attribute in DRAWN else bool(noisy)
            for attribute, noisy in zip(CELEBA.names, noise, strict=True)
        ]
        labels.append(name + "".join(" " + " 1" * value + "-1" * (not value) for value in values))
        person = index // 3
        partitions.append(f"{name} {(0, 1, 0, 2, 0)[person % 5]}")
        identities.append(f"{name} {person + 1}")
    for file, lines in (
        ("list_attr_celeba.txt", labels),
        ("list_eval_partition.txt", partitions),
        ("identity_CelebA.txt", identities),
    ):
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def zip_celeba(folder: Path, archive: Path) -> Path:
    """Zip what write_celeba wrote, below a folder `celeba`, and return the archive."""
    with zipfile.ZipFile(archive, "w") as out:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                deflate = file.suffix == ".txt"
                method = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
                out.write(file, f"celeba/{file.relative_to(folder).as_posix()}", method)
    return archive
