"""What there is, in OData's own words. In: the views as a role may ask for them. Out: service document and CSDL.

CSDL is XML (4.0, what every tool reads) or JSON (4.01). Descriptions are those of the views.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from hub.export.column import PLACES_OF_A_RATIO, PLACES_OF_ANY_MONEY, As, Column
from hub.export.views import VIEWS

NAMESPACE, CONTAINER = "hub", "Views"
DIGITS = 28  # what every client's decimal can hold
_TYPES: dict[As, tuple[str, dict[str, int]]] = {
    As.TEXT: ("Edm.String", {}),
    As.WORD: ("Edm.String", {}),
    As.WHOLE: ("Edm.Int64", {}),
    As.FLAG: ("Edm.Boolean", {}),
    As.INSTANT: ("Edm.DateTimeOffset", {"Precision": 0}),
    As.RATIO: ("Edm.Decimal", {"Precision": DIGITS, "Scale": PLACES_OF_A_RATIO}),
    As.MONEY: ("Edm.Decimal", {"Precision": DIGITS, "Scale": PLACES_OF_ANY_MONEY}),
}
_CORE = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1"

Sets = Mapping[str, Mapping[str, Column]]  # view to its columns


def service_document(base: str, sets: Sets) -> dict[str, Any]:
    """The entity sets, each with its address. `base` ends in a slash."""
    value = [{"name": name, "title": VIEWS[name].about, "kind": "EntitySet", "url": name} for name in sets]
    return {"@odata.context": f"{base}$metadata", "value": value}


def csdl_xml(sets: Sets) -> str:
    """The entity model as CSDL XML 4.0."""
    types = "".join(_entity_type(name, columns) for name, columns in sets.items())
    entity_sets = "".join(f'<EntitySet Name="{name}" EntityType="{NAMESPACE}.{name}"/>' for name in sets)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
        f'<edmx:Reference Uri="{_CORE}.xml"><edmx:Include Namespace="Org.OData.Core.V1" Alias="Core"/></edmx:Reference>'
        f'<edmx:DataServices><Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f'{types}<EntityContainer Name="{CONTAINER}">{entity_sets}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def csdl_json(sets: Sets) -> dict[str, Any]:
    """The entity model as CSDL JSON 4.01."""
    container: dict[str, Any] = {"$Kind": "EntityContainer"}
    schema: dict[str, Any] = {}
    for name, columns in sets.items():
        key = next(iter(columns))
        entity: dict[str, Any] = {"$Kind": "EntityType", "$Key": [key], "@Core.Description": VIEWS[name].about}
        entity |= {each: _property_json(column, each != key) for each, column in columns.items()}
        schema[name] = entity
        container[name] = {"$Collection": True, "$Type": f"{NAMESPACE}.{name}"}
    return {
        "$Version": "4.01",
        "$EntityContainer": f"{NAMESPACE}.{CONTAINER}",
        "$Reference": {f"{_CORE}.json": {"$Include": [{"$Namespace": "Org.OData.Core.V1", "$Alias": "Core"}]}},
        NAMESPACE: {**schema, CONTAINER: container},
    }


def _entity_type(name: str, columns: Mapping[str, Column]) -> str:
    key = next(iter(columns))
    properties = "".join(_property(each, column, each != key) for each, column in columns.items())
    about = _described(VIEWS[name].about)
    return f'<EntityType Name="{name}"><Key><PropertyRef Name="{key}"/></Key>{properties}{about}</EntityType>'


def _property(name: str, column: Column, nullable: bool) -> str:
    type_, facets = _TYPES[column.as_]
    said = "".join(f' {facet}="{value}"' for facet, value in facets.items())
    said += "" if nullable else ' Nullable="false"'
    return f'<Property Name="{name}" Type="{type_}"{said}>{_described(column.about)}</Property>'


def _described(about: str) -> str:
    return f'<Annotation Term="Core.Description" String={quoteattr(about)}/>'


def _property_json(column: Column, nullable: bool) -> dict[str, Any]:
    type_, facets = _TYPES[column.as_]
    said = {"$Type": type_} if type_ != "Edm.String" else {}
    return {
        **said,
        **({"$Nullable": True} if nullable else {}),
        **{f"${facet}": value for facet, value in facets.items()},
        "@Core.Description": column.about,
    }
