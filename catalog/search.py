"""Plain text search over records and their variables, blind to case and accents. Made for hundreds of datasets.

Every word of the question must be found, as the beginning of a word, somewhere in the record. Titles weigh more than
keywords, those more than variables, those more than descriptions.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.dataset import Dataset
from catalog.values import Text
from catalog.variables import Variable, VariableTable

_TITLE, _KEYWORD, _VARIABLE, _DESCRIPTION = 8, 4, 2, 1


@dataclass(frozen=True)
class Hit:
    """A dataset that answers, its score, and the (table, variable) pairs in which any of the words was found."""

    dataset: Dataset
    score: int
    variables: tuple[tuple[VariableTable, Variable], ...]


def search(datasets: Iterable[Dataset], text: str) -> list[Hit]:
    """The datasets that hold every word of `text`, best first, then by identifier; all of them if there is no word."""
    wanted = tuple(dict.fromkeys(words(text)))
    hits = [hit for dataset in datasets if (hit := _hit(dataset, wanted))]
    return sorted(hits, key=lambda hit: (-hit.score, hit.dataset.id))


def words(text: str) -> list[str]:
    """Words of a text without case and accents."""
    flat = unicodedata.normalize("NFKD", text).casefold()
    return re.findall(r"[^\W_]+", "".join(c for c in flat if not unicodedata.combining(c)))


def _hit(dataset: Dataset, wanted: tuple[str, ...]) -> Hit | None:
    score = dict.fromkeys(wanted, 0)
    for weight, text in _texts(dataset):
        _count(score, weight, text)
    found: list[tuple[VariableTable, Variable]] = []
    for table, variable in dataset.variables or ():
        met = [_count(score, weight, text) for weight, text in _variable_texts(variable)]
        if any(met):
            found.append((table, variable))
    if not all(score.values()):
        return None
    return Hit(dataset, sum(score.values()), tuple(found))


def _count(score: dict[str, int], weight: int, text: str) -> bool:
    """Add `weight` to each wanted word that begins a word of `text`; True if there was one."""
    there = set(words(text))
    met = [word for word in score if any(each.startswith(word) for each in there)]
    for word in met:
        score[word] += weight
    return bool(met)


def _texts(dataset: Dataset) -> Iterator[tuple[int, str]]:
    for weight, texts in (
        (_TITLE, (*dataset.title, *dataset.alternative)),
        (_KEYWORD, dataset.keyword),
        (_DESCRIPTION, (*dataset.description, *dataset.population_coverage)),
    ):
        yield from ((weight, text.value) for text in texts)
    yield _TITLE, dataset.id
    yield from ((_KEYWORD, code) for code in (*dataset.identifier, *dataset.code_values))
    for agent in (dataset.custodian, dataset.publisher):
        yield from ((_DESCRIPTION, name.value) for name in (agent.name if agent else ()))


def _variable_texts(variable: Variable) -> Iterator[tuple[int, str]]:
    yield _VARIABLE, variable.name
    described: tuple[Text, ...] = (*variable.title, *variable.description)
    yield from ((_VARIABLE, text.value) for text in described)
    if variable.code_system:
        yield _DESCRIPTION, variable.code_system
    yield from ((_DESCRIPTION, f"{coded.code} {coded.label}") for coded in variable.codes)
