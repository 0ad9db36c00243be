"""Settings as a user writes them: dotted names, values of any type, and the nearest name to a mistyped one."""

from __future__ import annotations

import difflib
import importlib
import json
import pkgutil
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from facelocus.errors import RecipeError


def module_names(package: ModuleType) -> list[str]:
    """Return the names that `load_named` knows: of the files in a package."""
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def load_named(package: ModuleType, what: str, name: str) -> Any:
    """Return what a file of a package defines under a name in capitals: of "recipe" RECIPE.

    Raises:
        RecipeError: there is no file of that name (with the nearest one).
    """
    if name not in module_names(package):
        raise RecipeError(f"unknown {what} {name!r}{nearest(name, module_names(package))}")
    return getattr(importlib.import_module(f"{package.__name__}.{name}"), what.upper())


def value_of(text: str) -> Any:
    """Read a setting's value: JSON, 192,160 for [192, 160], or the text itself."""
    for form in (text, f"[{text}]" if "," in text else text):
        try:
            return json.loads(form)
        except json.JSONDecodeError:
            continue
    return text


def dotted(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one mapping with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def refuse_unknown(value: dict[str, Any], known: dict[str, Any], prefix: str = "") -> None:
    """Raise a RecipeError at the first key of nested settings that the known ones do not have."""
    for name, inner in value.items():
        if name not in known:
            raise RecipeError(f"unknown recipe key {prefix + name!r}{nearest(name, list(known), prefix)}")
        if isinstance(inner, dict) and isinstance(known[name], dict):
            refuse_unknown(inner, known[name], f"{prefix}{name}.")


def nearest(name: str, known: Sequence[str], prefix: str = "") -> str:
    """Return the end of a refusal: the known name nearest to a mistyped one, or all of them."""
    by_last = {key.rsplit(".", 1)[-1]: key for key in known}
    near = difflib.get_close_matches(name, known, 1, 0.5)
    if not near:
        near = [by_last[word] for word in difflib.get_close_matches(name.rsplit(".", 1)[-1], by_last, 1, 0.5)]
    return (
        f": did you mean {prefix + near[0]!r}?" if near else f": known are {', '.join(prefix + key for key in known)}"
    )
