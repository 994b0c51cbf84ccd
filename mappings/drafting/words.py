"""What systems call the same thing. In: names of fields, parameters, streams. Out: our word for them, or none.

Names are compared without capitals and separators: firstName, first-name and first_name are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Words = tuple[str, ...]

PROFILE: dict[str, Words] = {
    "display_name": ("display_name", "full_name", "name", "company_name", "title"),
    "given_name": ("first_name", "given_name", "forename"),
    "family_name": ("last_name", "family_name", "surname"),
    "birth_date": ("birth_date", "birthday", "date_of_birth", "dob"),
    "language": ("language", "locale", "preferred_language", "lang"),
    "country": ("country", "country_code"),
    "created_at": ("created_at", "created", "created_on", "created_time", "create_time", "add_time", "date_created"),
    "updated_at": ("updated_at", "updated", "updated_on", "modified_at", "modified", "last_modified", "changed_at",
                   "changed", "updated_time", "update_time", "date_modified", "last_modified_date"),
}  # fmt: skip
LISTS: dict[str, Words] = {
    "emails": ("email", "email_address", "mail"),
    "phones": ("phone", "phone_number", "mobile", "mobile_phone", "telephone", "tel", "cell"),
}
ADDRESS: dict[str, Words] = {
    "street": ("street", "address1", "address_line1", "line1", "street_address"),
    "postcode": ("postcode", "zip", "zip_code", "postal_code"),
    "city": ("city", "town", "locality"),
    "region": ("state", "region", "province"),
    "country": ("country", "country_code"),
}
PARAMETERS: dict[str, Words] = {  # what a parameter of a list is for
    "page": ("page", "page_number", "page[number]", "page_no"),
    "offset": ("offset", "skip", "start", "start_at", "page[offset]", "$skip", "from_index"),
    "cursor": ("cursor", "page_token", "next_token", "continuation", "page[cursor]", "next_page_token"),
    "after": ("starting_after", "after", "after_id", "page[after]", "last_id", "since_id"),
    "size": ("limit", "per_page", "page_size", "page[size]", "size", "count", "max_results", "take", "$top"),
    "since": ("updated_since", "modified_since", "updated_after", "updated_at[after]", "updated_at[gte]", "updated_gt",
              "changed_since", "since", "modified_after", "updated_at_min", "updated_from", "created_after",
              "created[gte]", "start_time"),
}  # fmt: skip
ENTITY_OF = {
    "invoice": "invoice", "bill": "invoice", "order": "order", "deal": "order", "opportunity": "order", "sale": "order",
    "subscription": "agreement", "contract": "agreement", "ticket": "case", "case": "case", "issue": "case",
    "conversation": "case", "complaint": "case", "request": "case",
}  # fmt: skip
FIRMS = ("company", "organization", "organisation", "account", "business", "firm", "tenant")
KEYS = ("key", "uid", "number", "no", "code", "token", "slug")
IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman"}
CURSORS = (
    "next_cursor", "cursor", "next_page_token", "next_token", "after", "continuation", "next_offset", "next_page",
)  # fmt: skip
LINKS = ("next", "next_url", "next_link", "next_page_url", "@odata.nextlink")
MORE = ("has_more", "has_next", "more", "has_next_page", "more_items_in_collection")
TOTALS = ("total", "total_count", "total_results")
TOTAL_PAGES = ("total_pages", "pages", "page_count", "last_page")
ENVELOPES = ("data", "results", "items", "records", "values", "entries", "list", "value", "rows", "objects", "content")


def match(names: Iterable[str], wanted: Words) -> str | None:
    """The name that is the first of the wanted words, as it is written; None where none is."""
    by_fold = {fold(name): name for name in reversed(list(names))}
    return next((by_fold[fold(word)] for word in wanted if fold(word) in by_fold), None)


def matches(names: Iterable[str], wanted: Mapping[str, Words]) -> dict[str, str]:
    """Our word to the system's name, for those that are found."""
    listed = list(names)
    return {ours: found for ours, words in wanted.items() if (found := match(listed, words)) is not None}


def fold(name: str) -> str:
    """The name without capitals and separators."""
    return re.sub(r"[^a-z0-9@$]", "", name.lower())


def singular(word: str) -> str:
    """A guess at the singular of an English plural."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def snake(word: str) -> str:
    """A stream's or setting's name out of any text: lower case letters, digits and `_`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_") or "things"
