"""In: a head count and a seed. Out: an invented company's records and truth, and its four APIs."""

from connectors.sandbox.company import Company, generate
from connectors.sandbox.server import Running, serve
from connectors.sandbox.truth import ProfileRef, Truth, TruthOrganization, TruthPerson
from connectors.sandbox.window import LAST_INSTANT

__all__ = [
    "LAST_INSTANT",
    "Company",
    "ProfileRef",
    "Running",
    "Truth",
    "TruthOrganization",
    "TruthPerson",
    "generate",
    "serve",
]
