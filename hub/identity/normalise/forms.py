"""The company's rules ready for comparison. In: identity.yml with its lists, and the company's region. Out: one place
to ask for the form in which a value is compared, and whether it identifies anybody.
"""

from __future__ import annotations

from hub.identity.normalise.addresses import Addresses
from hub.identity.normalise.emails import Emails
from hub.identity.normalise.names import Names
from hub.identity.normalise.phones import Devices, Phones
from hub.identity.normalise.registrations import Registers
from hub.identity.normalise.titles import Titling
from mappings.identity import Identity


class Forms:
    """The rules by what they are about; each remembers what it was asked, so make one and keep it.

    `region` is company.yml's: the country of phones that name none. `formal` leads from a word of a
    given name to the names that it may stand for; `known` holds every word that the lists know as a given name.
    """

    def __init__(self, rules: Identity, region: str) -> None:
        self.emails = Emails(rules)
        self.phones = Phones(rules, region)
        self.devices = Devices(rules)
        self.names = Names(rules)
        self.addresses = Addresses(rules)
        self.titling = Titling(rules)
        self.registers = Registers(rules)
        self.junk_births = frozenset(rules.junk.birth_dates)
        self.similarity = rules.name_similarity
        self.formal = self.names.formal
        self.known = self.names.known

    def junk_email(self, value: str) -> bool:
        """Whether the address identifies nobody."""
        return self.emails.email(value) is None

    def junk_phone(self, value: str) -> bool:
        """Whether the number is one that people type to get past a form, or too short to reach anybody."""
        return self.phones.phone(value) is None

    def junk_name(self, value: str) -> bool:
        """Whether the name names nobody: a listed word, punctuation, digits or an e-mail address."""
        return self.names.junk(value)

    def role_inbox(self, email: str) -> bool:
        """Whether several people are meant to read this inbox; of an address in comparison form."""
        return self.emails.role_inbox(email)
