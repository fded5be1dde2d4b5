"""Where views come from: the ones that ship with this package, and files of the holder's own."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pipelines.errors import SourceError
from pipelines.readers.fhir.definition import View, load_view

BUILT_IN = Path(__file__).with_name("views")


@cache
def built_in_views() -> tuple[View, ...]:
    """All views of this package, by name."""
    return tuple(load_view(file) for file in sorted(BUILT_IN.glob("*.json")))


def own_views(names: Iterable[str], folder: Path) -> list[Path]:
    """The files among the names a plan gives of views."""
    return [folder / name for name in names if name.endswith(".json")]


def chosen_views(names: Iterable[str], folder: Path) -> list[View]:
    """Built-in views by name and own views by path, relative ones from `folder`; raises SourceError."""
    known = {view.name: view for view in built_in_views()}
    found: dict[str, View] = {}
    for name in names:
        view = load_view(folder / name) if name.endswith(".json") else known.get(name)
        if view is None:
            raise SourceError(
                f"FHIR view {name!r} is not known. Built-in views: {', '.join(known)}. "
                "A view of your own is named by its file, which ends in .json."
            )
        if view.name in found:
            raise SourceError(f"FHIR option 'views' names two views that are called {view.name!r}.")
        found[view.name] = view
    return list(found.values())
