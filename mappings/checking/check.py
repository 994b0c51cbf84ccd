"""In: a document and the pydantic model it should fit. Out: the model, or every problem with its line.

Unknown names are looked for here, since pydantic knows neither lines nor what was meant; types and the models' own
validators are left to pydantic, whose messages are put into the words of a YAML file.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mappings.checking.document import Document, MappingError, Place, Problem, hint
from mappings.values import kind_of

Model = TypeVar("Model", bound=BaseModel)
_SCALARS = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false"}


def fit(model: type[Model], document: Document) -> Model:
    """The document as the model. Raises MappingError with all problems of the file at once."""
    if not isinstance(document.data, dict):
        raise MappingError([document.problem((), f"{_described(document.data)} stands where names are expected")])
    problems = [document.problem(place, what) for place, what in _unknown(model, document.data, ())]
    try:
        made = model.model_validate(document.data)
    except ValidationError as error:
        problems += _translated(error, document)
    if problems:
        raise MappingError(problems)
    return made


def names(model: type[BaseModel]) -> list[str]:
    """What a block of this model may say, as a YAML file writes it."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown(annotation: Any, data: Any, place: Place) -> Iterator[tuple[Place, str]]:
    branches = list(_branches(annotation))
    blocks = [b for b in branches if isinstance(b, type) and issubclass(b, BaseModel)]
    if isinstance(data, dict) and blocks:
        yield from _unknown_names(blocks[0], data, place)
    for branch in branches:
        inner = get_args(branch)
        if isinstance(data, dict) and get_origin(branch) is dict and not blocks:
            for name, value in data.items():
                yield from _unknown(inner[1], value, (*place, name))
        if isinstance(data, list) and get_origin(branch) is list:
            for index, value in enumerate(data):
                yield from _unknown(inner[0], value, (*place, index))


def _unknown_names(model: type[BaseModel], data: dict[str, Any], place: Place) -> Iterator[tuple[Place, str]]:
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for name, value in data.items():
        if name in fields:
            yield from _unknown(fields[name], value, (*place, name))
        else:
            yield (*place, name), f"`{name}` is unknown here; allowed: {', '.join(fields)}{hint(name, fields)}"


def _branches(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _branches(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for branch in get_args(annotation):
            yield from _branches(branch)
    else:
        yield annotation


def _translated(error: ValidationError, document: Document) -> list[Problem]:
    """Pydantic's errors in our words; of a union's branches only the one that the data meant."""
    kept: dict[Place, Problem] = {}
    dropped: dict[Place, list[str]] = {}
    unknown: list[Place] = []
    for detail in error.errors():
        place, label = _place(detail["loc"], document)
        if label is not None:
            dropped.setdefault(place, []).append(label)
        elif detail["type"] == "extra_forbidden":
            unknown.append(place)
        else:
            kept.setdefault(
                (*place, detail["loc"][-1]), document.problem(place, _words(detail, place, document.at(place)))
            )
    for place, labels in dropped.items():
        if not any(other[: len(place)] == place for other in [*kept, *unknown]):
            expected = " or ".join(dict.fromkeys(_label(label) for label in labels))
            what = f"{_named(place)} should be {expected}, not {_shown(place, document.at(place))}"
            kept[place] = document.problem(place, what)
    return list(kept.values())


def _place(loc: tuple[int | str, ...], document: Document) -> tuple[Place, str | None]:
    """Where in the document an error is, and the union branch that the data did not mean, if it is about one."""
    place: Place = ()
    for step in loc:
        value = document.at(place)
        if (isinstance(value, dict) and step in value) or (isinstance(value, list) and isinstance(step, int)):
            place = (*place, step)
        elif isinstance(step, str) and not _meant(step, value) and (step[:1].isupper() or _is_label(step)):
            return place, step
    return place, None


def _is_label(step: str) -> bool:
    return step in _SCALARS or step.startswith(("list[", "dict[", "function-", "nullable["))


def _meant(label: str, value: Any) -> bool:
    if isinstance(value, dict):
        return label not in _SCALARS and not label.startswith("list[")
    return isinstance(value, list) and label.startswith("list[")


def _label(label: str) -> str:
    return _SCALARS.get(label) or ("a list" if label.startswith("list[") else "a block")


def _words(detail: Any, at: Place, value: Any) -> str:
    place = _named((*at, detail["loc"][-1]) if detail["type"] == "missing" else at)
    match detail["type"]:
        case "missing":
            return f"{place} is missing"
        case "literal_error":
            allowed = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
            return f"`{value}` is none of {', '.join(allowed)}{hint(value, allowed)}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "too_short":
            return f"{place} has nothing in it"
        case "too_long":
            return f"{place} has more than {detail['ctx']['max_length']} items"
        case _:
            text = detail["msg"].replace("Input should be", "should be").replace("a valid string", "a text")
            text = re.split(" or instance of|, unable to", text.replace("a valid dictionary", "a block"))[0]
            quotes = ": put it in quotes" if detail["type"] == "string_type" and isinstance(value, int | float) else ""
            return f"{place} {text}, not {_shown(at, value)}{quotes}"


def _named(place: tuple[int | str, ...]) -> str:
    named = [step for step in place if isinstance(step, str)]
    return f"`{named[-1]}`" if named else "the file"


def _shown(place: tuple[int | str, ...], value: Any) -> str:
    """As described, but never a value that may be a secret which somebody wrote out."""
    secret = {"settings", "auth"} & set(place) and not isinstance(value, dict | list | None)
    return f"{kind_of(value)}" if secret else _described(value)


def _described(value: Any) -> str:
    if isinstance(value, dict):
        return "a block"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"`{str(value)[:40]}`"
