"""In: folders of mapping and rule files, and the environment. Out: a Rulebook and the company's sources, checked.

Reads files and nothing else. All that is wrong comes as one MappingError with file and line of each problem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from mappings.checking.check import fit
from mappings.checking.document import MappingError, Place, Problem, hint, read_document
from mappings.checking.meaning import wrong_meaning
from mappings.converting.countries import country_code
from mappings.converting.currencies import DECIMALS
from mappings.identity import Identity, Lists
from mappings.lists import fit_with_lists
from mappings.rulebook import Company, Rulebook
from mappings.spec import System

__all__ = [
    "MappingError", "MissingSettingError", "Problem", "Settings", "Source", "load_rulebook", "load_source",
    "load_sources", "load_system", "rule_problems", "schema_json", "shipped",
]  # fmt: skip

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class MissingSettingError(Exception):
    """A setting that a request needs is in neither company.yml nor the environment; the message names the variable."""


class Settings(Mapping[str, str]):
    """Setting to value. Never shows a value, for some are secrets."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Settings({', '.join(self._values)})"

    def __reduce__(self) -> Any:
        raise TypeError("settings are not written down")


@dataclass(frozen=True, slots=True)
class Source:
    """An instance of a system. `missing` names the environment variables that a pull needs and does not have."""

    name: str
    system: System = field(repr=False)
    settings: Settings
    missing: tuple[str, ...] = ()

    def fill(self, text: str) -> str:
        """The text with each `${setting}` replaced. Raises MissingSettingError, which names the variable to set."""
        return _VARIABLE.sub(lambda found: self._setting(found[1]), text)

    def _setting(self, setting: str) -> str:
        if setting not in self.settings:
            raise MissingSettingError(f"{self.name}: no {setting}; set {variable(self.name, setting)}")
        return self.settings[setting]


def variable(source: str, setting: str) -> str:
    """The environment variable of a source's setting: `token` of `crm_eu` is CRM_EU_TOKEN."""
    return f"{source}_{setting}".upper()


def shipped() -> Path:
    """The folder of the files that come with the hub; it stands last in a list of folders."""
    return Path(str(files("mappings")))


def load_rulebook(folders: Sequence[Path]) -> Rulebook:
    """All rule files, each from the first folder that has it, and the lists beside identity.yml from all folders.

    Raises MappingError with the problems of all files.
    """
    parts: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, about in Rulebook.model_fields.items():
        try:
            document = read_document(_found(folders, f"rules/{name}.yml"))
            if about.annotation is Identity:
                parts[name] = fit_with_lists(Identity, Lists, document, folders)
                continue
            parts[name] = fit(about.annotation, document)  # type: ignore[arg-type]
            if isinstance(parts[name], Company):
                problems += [document.problem(place, what) for place, what in _company_problems(parts[name])]
        except MappingError as error:
            problems += error.problems
    if problems:
        raise MappingError(problems)
    return Rulebook(**parts)


def rule_problems(folders: Sequence[Path], name: str, found: Iterable[tuple[Place, str]]) -> list[Problem]:
    """What somebody else found wrong at places of rules/`name`.yml, with file and line."""
    document = read_document(_found(folders, f"rules/{name}.yml"))
    return [document.problem(place, what) for place, what in found]


def load_system(path: Path) -> System:
    """One mapping file. Raises MappingError with all its problems."""
    document = read_document(path)
    system = fit(System, document)
    problems = [document.problem(place, what) for place, what in wrong_meaning(system)]
    if system.system != path.stem:
        what = f"`{system.system}` stands in {path.name}; a system's file has its name"
        problems.append(document.problem(("system",), what))
    if problems:
        raise MappingError(problems)
    return system


def load_source(name: str, rulebook: Rulebook, folders: Sequence[Path], environ: Mapping[str, str]) -> Source:
    """One source of company.yml, also where a setting is missing. Raises MappingError, and KeyError for no source."""
    instance = rulebook.company.sources[name]
    system = load_system(_system_file(name, instance.system, folders))
    unknown = [setting for setting in instance.settings if setting not in system.settings]
    if unknown:
        document = read_document(_found(folders, "rules/company.yml"))
        raise MappingError(
            document.problem(
                ("sources", name, "settings", setting),
                f"{system.system} has no setting `{setting}`; it has {', '.join(system.settings)}"
                f"{hint(setting, system.settings)}",
            )
            for setting in unknown
        )
    return _instance(name, system, instance.settings, environ)


def load_sources(rulebook: Rulebook, folders: Sequence[Path], environ: Mapping[str, str]) -> dict[str, Source]:
    """Every source of company.yml by name, in its order. Raises MappingError with the problems of all files."""
    sources: dict[str, Source] = {}
    problems: dict[Problem, None] = {}
    for name in rulebook.company.sources:
        try:
            sources[name] = load_source(name, rulebook, folders, environ)
        except MappingError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise MappingError(problems)
    return sources


def schema_json() -> str:
    """The JSON Schema of a mapping file, as mappings/mapping.schema.json holds it."""
    schema = System.model_json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"


def _instance(name: str, system: System, given: Mapping[str, str], environ: Mapping[str, str]) -> Source:
    values: dict[str, str] = {}
    missing: list[str] = []
    for setting, declared in system.settings.items():
        if setting in given:
            lacking = [v for v in _VARIABLE.findall(given[setting]) if not environ.get(v)]
            value = None if lacking else _VARIABLE.sub(lambda found: environ[found[1]], given[setting])
        else:
            lacking = [variable(name, setting)]
            value = environ.get(lacking[0]) or declared.default
        if value is None and not declared.optional:
            missing += lacking
        elif value is None:
            continue
        else:
            values[setting] = value
    return Source(name, system, Settings(values), tuple(missing))


def _found(folders: Sequence[Path], file: str) -> Path:
    for folder in folders:
        if (folder / file).is_file():
            return folder / file
    looked = ", ".join(str(folder) for folder in folders)
    raise MappingError([Problem(file, 1, f"the file is missing; looked in {looked}")])


def _system_file(source: str, system: str, folders: Sequence[Path]) -> Path:
    known: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / "sources").glob("**/*.yml")):
            known.setdefault(path.stem, path)
    if system in known:
        return known[system]
    document = read_document(_found(folders, "rules/company.yml"))
    what = f"no mapping file for system `{system}`; there is {', '.join(sorted(known)) or 'none'}{hint(system, known)}"
    raise MappingError([document.problem(("sources", source, "system"), what)])


def _company_problems(company: Company) -> Iterator[tuple[Place, str]]:
    codes = [(("reporting_currency",), company.reporting_currency)]
    codes += [(("currencies", index), code) for index, code in enumerate(company.currencies)]  # type: ignore[misc]
    codes += [(("rates", code), code) for code in company.rates]  # type: ignore[misc]
    for place, code in codes:
        if code not in DECIMALS:
            yield place, f"`{code}` is no ISO 4217 currency{hint(code, DECIMALS)}"
    if company.reporting_currency not in company.currencies:
        yield ("currencies",), f"the reporting currency {company.reporting_currency} is not among them"
    if company.time_zone not in available_timezones():
        yield ("time_zone",), f"`{company.time_zone}` is no time zone{hint(company.time_zone, available_timezones())}"
    if country_code(company.region) != company.region:
        yield ("region",), f"`{company.region}` is no ISO 3166-1 alpha-2 code"
    if not re.fullmatch("[a-z]{2}", company.language):
        yield ("language",), f"`{company.language}` is no ISO 639-1 code"
    for code, rates in company.rates.items():
        for day, rate in rates.items():
            if rate <= 0:
                yield ("rates", code, day.isoformat()), f"a rate has to be more than 0, not {rate}"
    for name, instance in company.sources.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            yield ("sources", name), f"`{name}` is no source's name: lower case letters, digits and _"
        for setting, text in instance.settings.items():
            if text.count("${") != len(_VARIABLE.findall(text)):
                yield ("sources", name, "settings", setting), "a `${` that no variable's name and `}` follow"
