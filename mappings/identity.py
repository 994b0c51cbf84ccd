"""What mappings/rules/identity.yml and the lists beside it may say: who is who, and which value survives.

In: the parsed YAML. Out: a frozen Identity. Everything that tells people and organizations apart is data here.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mappings.block import Block
from mappings.survivorship import Survivorship


class Junk(Block):
    """Values that identify nobody, folded; `*` stands for anything."""

    emails: list[str]
    phones: list[str] = Field(description="Of the digits alone.")
    names: list[str]
    birth_dates: list[str] = Field(default_factory=list, description="Dates that forms fill in by themselves.")
    devices: list[str] = Field(default_factory=list, description="Ids of devices and cookies that are none.")


class Provider(Block):
    """A provider of mailboxes: which of its addresses reach one inbox."""

    domains: list[str] = Field(description="The first stands for those that `one` makes equal.")
    one: bool = Field(False, description="Whether a name is the same person's in all of the domains.")
    ignores: str = Field("", description="Letters in the name that do not count.")
    tag: str = Field("", description="Sign that begins a tag, besides +.")
    subdomains: bool = Field(False, description="Whether any@name.domain reaches name@domain.")


class NameWords(Block):
    """Words in a person's name that are no name."""

    maiden: list[str] = Field(description="Before the name at birth: née, geb.")
    degrees: list[str] = Field(description="Behind a title, part of it: med, phil.")
    couples: list[str] = Field(description="Between two people in one field: and, &.")
    households: list[str] = Field(description="Words that show that all of a household are meant: family.")
    firms: list[str] = Field(description="Words that show that an organization stands where a person should.")
    glued: list[str] = Field(description="Particles that are written as one word with the name: vander.")
    credentials: list[str] = Field(description="Letters after a comma behind the name: MA.")
    patronymics: list[str] = Field(description="Endings of a father's name, as folded.")


class AddressWords(Block):
    """Words of postal addresses that are written in several ways."""

    streets: dict[str, list[str]] = Field(description="A word of streets to its other spellings.")
    endings: dict[str, list[str]] = Field(description="The same where it is the end of a word: hauptstr.")
    units: list[str] = Field(description="Words before the number of a flat, floor or door.")
    cities: dict[str, list[str]] = Field(description="A town to its names in other languages.")
    beside: list[str] = Field(description="Words in a town's name that are often left out: am, upon.")


class OrganizationWords(Block):
    """Words of organizations' names."""

    leading_forms: list[str] = Field(description="Legal forms that may stand before the name: sarl, ooo.")
    ends_only: list[str] = Field(description="Legal forms that are words, too: spa, as.")
    fillers: list[str] = Field(description="Words that people leave out: the, and.")
    abbreviations: dict[str, list[str]] = Field(description="A word to its short and sister forms: international.")
    common: list[str] = Field(description="Words that do not tell namesakes apart: hotel, consulting, smith.")
    junk: list[str] = Field(description="What stands for no organization at all: privat; `*` stands for anything.")
    also: list[str] = Field(description="Between two names of one organization: d/b/a.")
    ends: list[str] = Field(description="Where the name ends and a person or an address begins: c/o.")


class Registrations(Block):
    """Numbers by which states and registers tell organizations apart."""

    systems: dict[Literal["vat", "register", "tax", "lei", "duns"], list[str]] = Field(
        description="Kind of number to the identifier systems that state it."
    )
    countries: dict[str, list[str]] = Field(description="Country to the identifier systems that are its own: siren.")


class OrganizationDomains(Block):
    """Domains of organizations."""

    stated: list[str] = Field(description="Identifier systems by which sources state an organization's own domain.")
    shared: list[str] = Field(description="Hosts of pages that are nobody's own: facebook.com.")
    suffixes: list[str] = Field(description="Endings of two words below which domains are given away: co.uk.")


class Lists(Block):
    """The lists beside identity.yml: each is a file in rules/identity/, which the company's own file extends."""

    junk: Junk
    role_inboxes: list[str] = Field(description="Local parts of inboxes that several people read: info, office.")
    mail_providers: dict[str, Provider] = Field(description="Provider to which of its addresses are one.")
    mistyped_domains: dict[str, list[str]] = Field(description="Domain of a provider to how it is mistyped.")
    freemail: list[str] = Field(description="Domains that say nothing about an employer.")
    disposable: list[str] = Field(description="Domains of addresses that are thrown away.")
    titles: list[str] = Field(description="Words before or after a name that are none: dr, mrs, herr.")
    particles: list[str] = Field(description="Words of a family name that are often left out: von, de.")
    generations: dict[str, list[str]] = Field(description="Which of two namesakes, to how it is written: jr, senior.")
    nicknames: dict[str, list[str]] = Field(description="Given name to its short and pet forms.")
    given_names: list[str] = Field(description="Given names, each with its other spellings after it.")
    name_words: NameWords
    address_words: AddressWords
    legal_forms: dict[str, list[str]] = Field(description="Legal form to the ways it is written: gmbh, ltd, inc.")
    organization_words: OrganizationWords
    organization_domains: OrganizationDomains
    registrations: Registrations


class Thresholds(Block):
    """From which chance, from 0 to 1, that two profiles are one something is done about them."""

    join: float = Field(0.9, gt=0, lt=1, description="They are one.")
    review: float = Field(0.5, gt=0, lt=1, description="A person should look at them.")
    strong: float = Field(0.99, gt=0, lt=1, description="They are one even between groups that hold by themselves.")


class Identity(Lists):
    """What joins profiles, what does not, and which value survives."""

    plus_tags: bool = Field(True, description="Whether name+tag@host reaches name@host.")
    shared_limit: int = Field(ge=2, description="A contact point on more profiles than this proposes nothing.")
    name_similarity: float = Field(ge=0, le=1, description="Jaro-Winkler from which two words are one, mistyped.")
    thresholds: Thresholds = Field(default_factory=Thresholds)
    national_ids: list[str] = Field(
        default_factory=list, description="Identifier systems that are a state's number of one person: ssn."
    )
    survivorship: Survivorship
