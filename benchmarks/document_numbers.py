"""The documents' numbers, written from results/: nothing in them is typed by hand.

    python benchmarks/document_numbers.py

Each block stands between <!-- NAME --> and <!-- /NAME --> in its document.
"""

from __future__ import annotations

from collections.abc import Callable

from documents import ROOT
from documents.cluster import billion
from documents.cluster import rates as cluster_rates
from documents.eight_bits import eight_bits
from documents.laptop import minutes, time_to_accuracy, ways
from documents.limits import accuracy_limit, calibration_limit
from documents.localisation import conditions, localisation, localised
from documents.own_data import own_labels, sharding
from documents.performance import cost, equal, h100, h100_kernels, processor, waiting
from documents.photographs import columns, found, quality, speed
from documents.robustness import robustness
from documents.search import quality as search_quality
from documents.search import speed as search_speed
from documents.search import verification, words
from documents.serve import browser, load, page
from documents.weights import attributes, calibration, groups, identity, numbers, sizes


def example(name: str, language: str) -> str:
    """Return a file of examples/ as a block of code."""
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    return f"```{language}\n{text}```\n"


#: Document -> the blocks in it -> what writes each.
BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"numbers": numbers, "sizes": sizes, "minutes": minutes},
    "docs/attributes.md": {"attributes": attributes},
    "docs/model-card.md": {
        "identity": identity,
        "numbers": numbers,
        "sizes": sizes,
        "calibration": calibration,
        "calibration-limit": calibration_limit,
        "groups": groups,
        "robustness": robustness,
        "localisation": localisation,
    },
    "docs/weights.md": {"eight-bits": eight_bits, "accuracy-limit": accuracy_limit},
    "docs/product.md": {
        "groups": groups,
        "python": lambda: example("model_file.py", "python"),
        "javascript": lambda: example("model_file.mjs", "javascript"),
    },
    "docs/photographs.md": {"columns": columns, "found": found, "quality": quality, "speed": speed},
    "docs/performance.md": {
        "processor": processor,
        "equal": equal,
        "time-to-accuracy": time_to_accuracy,
        "laptop-ways": ways,
        "waiting": waiting,
        "cost": cost,
        "h100": h100,
        "h100-kernels": h100_kernels,
    },
    "docs/search.md": {
        "search-quality": search_quality,
        "search-speed": search_speed,
        "search-verification": verification,
        "search-words": words,
    },
    "docs/localisation.md": {"localisation": localisation},
    "docs/localised.md": {"localised": localised, "localised-conditions": conditions},
    "docs/cluster.md": {"cluster-rates": cluster_rates, "cluster-billion": billion},
    "docs/serve.md": {"serve-load": load, "serve-page": page, "serve-browser": browser},
    "docs/own-labels.md": {"own-labels": own_labels, "sharding": sharding},
}


def with_block(document: str, name: str, block: str) -> str:
    """Return a document's text with a block between its markers.

    Raises:
        ValueError: the document has no such markers.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = document.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"there is no {begin.strip()} with its end")
    return f"{before}{begin}{block}{end}{after}"


def written(document: str) -> str:
    """Return a document as the results have it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for name, block in BLOCKS[document].items():
        text = with_block(text, name, block())
    return text


if __name__ == "__main__":
    for document in BLOCKS:
        (ROOT / document).write_text(written(document), encoding="utf-8")
