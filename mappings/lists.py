"""The lists beside mappings/rules/identity.yml, one a file in rules/identity/. In: folders, the company's own first.
Out: each list as shipped, with what the company adds to it and without what it removes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError, create_model

from mappings.block import Block
from mappings.checking.check import fit
from mappings.checking.document import Document, MappingError, Place, Problem, hint, read_document

Model = TypeVar("Model", bound=BaseModel)
_SAYS = "say `add:` and `remove:`, each with what is to be added to the shipped list or removed from it"


def fit_with_lists(model: type[Model], lists: type[BaseModel], document: Document, folders: Sequence[Path]) -> Model:
    """The document as `model`, together with each field of its parent `lists` from rules/identity/FIELD.yml. The last
    folder that has the file holds the list, each one before it says what to add and what to remove.

    Raises MappingError with the problems of all files.
    """
    problems: list[Problem] = []
    said = document.data if isinstance(document.data, dict) else {}
    for name in said.keys() & lists.model_fields.keys():
        problems.append(document.problem((name,), f"`{name}` stands in rules/identity/{name}.yml; {_SAYS}"))
    own = {name: (f.annotation, f) for name, f in model.model_fields.items() if name not in lists.model_fields}
    try:
        settings = dict(fit(create_model(model.__name__, __base__=Block, **own), document))  # type: ignore[call-overload]
    except MappingError as error:
        problems += error.problems if not problems else ()
    try:
        listed = _read_all(lists, folders)
    except MappingError as error:
        problems += error.problems
    if problems:
        raise MappingError(problems)
    return model.model_validate(settings | listed)


def _read_all(lists: type[BaseModel], folders: Sequence[Path]) -> dict[str, Any]:
    """Every list, checked at once; where one is wrong, each alone, for the line of each problem."""
    documents: dict[str, Document] = {}
    problems: list[Problem] = []
    for name in lists.model_fields:
        try:
            documents[name] = _read(name, folders)
        except MappingError as error:
            problems += error.problems
    try:
        return dict(lists.model_validate({name: document.data[name] for name, document in documents.items()}))
    except ValidationError:
        for name, document in documents.items():
            try:
                fit(create_model(name, **{name: (lists.model_fields[name].annotation, ...)}), document)  # type: ignore[call-overload]
            except MappingError as error:
                problems += error.problems
        raise MappingError(problems) from None


def _read(name: str, folders: Sequence[Path]) -> Document:
    file = f"rules/identity/{name}.yml"
    paths = [folder / file for folder in folders if (folder / file).is_file()]
    if not paths:
        looked = ", ".join(str(folder) for folder in folders)
        raise MappingError([Problem(file, 1, f"the file is missing; looked in {looked}")])
    shipped = read_document(paths[-1])
    lines = {(name, *place): line for place, line in shipped.lines.items()}
    listed = Document(shipped.file, {name: shipped.data}, lines)
    for path in reversed(paths[:-1]):
        said = read_document(path)
        if said.data != listed.data[name]:  # a copy of the shipped file says nothing of its own
            listed = _extended(name, listed.data[name], said)
    return listed


def _extended(name: str, listed: Any, said: Document) -> Document:
    """The list with what one more file says about it. A problem stands in that file, at its line."""
    if not isinstance(said.data, dict) or not said.data or not said.data.keys() <= {"add", "remove"}:
        raise MappingError([said.problem((), f"the company's own {name} extends the shipped list: {_SAYS}")])
    extended = Document(said.file, lines={})
    problems: list[Problem] = []
    if said.data.get("remove") is not None:
        listed, wrong = _without(listed, said.data["remove"], ("remove",))
        problems += [said.problem(place, what) for place, what in wrong]
    if said.data.get("add") is not None:
        try:
            listed = _with(listed, said.data["add"], ("add",), (name,), said, extended)
        except TypeError:
            problems.append(said.problem(("add",), f"`add` has another shape than the shipped {name}"))
    if problems:
        raise MappingError(problems)
    extended.data = {name: listed}
    return extended


def _with(listed: Any, added: Any, place: Place, to: Place, said: Document, extended: Document) -> Any:
    """The list and what is added, each thing once; notes where in the file each added thing stands."""
    if isinstance(listed, dict) and isinstance(added, dict):
        both = dict(listed)
        for word, more in added.items():
            _note(said, (*place, word), extended, (*to, word))
            both[word] = _with(both[word], more, (*place, word), (*to, word), said, extended) if word in both else more
        return both
    if isinstance(listed, list) and isinstance(added, list):
        new = [(at, word) for at, word in enumerate(added) if word not in listed]
        for further, (at, _) in enumerate(new, len(listed)):
            _note(said, (*place, at), extended, (*to, further))
        return listed + [word for _, word in new]
    if isinstance(listed, dict | list) or isinstance(added, dict | list):
        raise TypeError
    return added


def _note(said: Document, place: Place, extended: Document, to: Place) -> None:
    """Takes over the lines of a place and of all within it."""
    deep = len(place)
    extended.lines |= {(*to, *at[deep:]): line for at, line in said.lines.items() if at[:deep] == place}


def _without(listed: Any, removed: Any, place: Place) -> tuple[Any, list[tuple[Place, str]]]:
    """The list without what is removed, and what is wrong: that which is not there cannot be removed."""
    if isinstance(listed, dict) and isinstance(removed, dict):
        rest, wrong = dict(listed), []
        for word, less in removed.items():
            if word not in listed:
                wrong.append(((*place, word), _absent(word, listed)))
                continue
            rest[word], further = _without(listed[word], less, (*place, word))
            wrong += further
        return rest, wrong
    if not isinstance(listed, dict | list) or not isinstance(removed, list):
        return listed, [(place, "`remove` has another shape than the shipped list")]
    wrong = [((*place, at), _absent(word, listed)) for at, word in enumerate(removed) if word not in listed]
    if isinstance(listed, dict):
        return {word: said for word, said in listed.items() if word not in removed}, wrong
    return [word for word in listed if word not in removed], wrong


def _absent(word: object, listed: Any) -> str:
    return f"`{word}` is not in the shipped list{hint(word, [str(known) for known in listed])}"
