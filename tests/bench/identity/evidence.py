"""What could be known at all. In: records and who they truly are. Out: each entity parted into what evidence connects.

Two records of one entity are connected where they share an e-mail address, a phone number, a device or an id that
nobody else has; where they share one that several have, and the names are near; or where the names are near and the
birth date, the postcode or the street with its number is near too. Whatever follows from two such steps counts as well.
Records of one entity that no such chain connects carry no shared evidence: nobody could say that they are one person.
This is said of the data alone. It knows no rules and no generator; who shares what is counted by the true entities.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from tests.bench.identity.record import Record
from tests.bench.identity.slips import plain

_EVERYBODY = 20  # what more people than that have is a placeholder or a switchboard: it says nothing
_DOTLESS = ("gmail.com", "googlemail.com")


def connected(records: Sequence[Record]) -> dict[str, str]:
    """Place of each record -> its part of the true entity: `17` and `17/2` are one person that no evidence connects."""
    owners: dict[str, set[str]] = defaultdict(set)
    entities: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        entities[record.entity].append(record)
        for value in contacts(record):
            owners[value].add(record.entity)
    held = {value: len(entities_of) for value, entities_of in owners.items()}
    found: dict[str, str] = {}
    for entity, own in entities.items():
        parts = _parts(own, held)
        numbers = {part: number for number, part in enumerate(dict.fromkeys(parts))}
        for record, part in zip(own, parts, strict=True):
            found[record.place] = f"{entity}/{numbers[part]}" if numbers[part] else entity
    return found


def contacts(record: Record) -> Iterator[str]:
    """What a record can be found by, each under the form in which it is compared."""
    for email in record.emails:
        local, _, domain = email.partition("@")
        local = local.partition("+")[0]
        yield f"mail {local.replace('.', '') if domain in _DOTLESS else local}@{domain}"
    yield from (f"call {phone}" for phone in record.phones)
    yield from (f"device {device}" for device in record.devices)
    yield f"id {record.source} {record.key}"
    yield from (f"id {system} {value}" for system, value in record.ids)


def _parts(records: Sequence[Record], held: dict[str, int]) -> list[int]:
    """For each record the first one that it is connected with."""
    parent = list(range(len(records)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    first: dict[str, int] = {}
    for at, record in enumerate(records):
        for value in contacts(record):
            if held[value] == 1:
                parent[root(at)] = root(first.setdefault(value, at))
    if len({root(at) for at in parent}) > 1:
        for left, right in combinations(range(len(records)), 2):
            if root(left) != root(right) and _agree(records[left], records[right], held):
                parent[root(right)] = root(left)
    return [root(at) for at in range(len(records))]


def _agree(left: Record, right: Record, held: dict[str, int]) -> bool:
    names, others = _words(left), _words(right)
    if not names or not others:
        return False
    birth = _near_date(left.birth, right.birth)
    place = _same(left.postcode, right.postcode) or _near_text(left.street, right.street)
    if near_names(names, others):
        shared = set(contacts(left)).intersection(contacts(right))
        return birth or place or any(held[value] <= _EVERYBODY for value in shared) or _near_email(left, right)
    return birth and place and not names.isdisjoint(others)


def _words(record: Record) -> set[str]:
    said = f"{record.given} {record.family}".strip() or record.display
    return set(plain(said).casefold().replace(".", " ").replace(",", " ").replace("-", " ").split())


def near_names(names: set[str], others: set[str]) -> bool:
    """Whether two words of the names fit: the same, an initial of the other, or a small error apart."""
    few, many = sorted((names, others), key=len)
    return len(few) >= 2 and sum(any(_near_word(word, other) for other in many) for word in few) >= 2


def _near_word(one: str, other: str) -> bool:
    if one == other:
        return True
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    if min(len(one), len(other)) >= 3 and (one.startswith(other) or other.startswith(one)):
        return True
    return (one[0] == other[0] and JaroWinkler.similarity(one, other) >= 0.9) or _edits(one, other, 5)


def _edits(one: str, other: str, long: int) -> bool:
    allowed = 1 + (min(len(one), len(other)) >= 2 * long)
    return min(len(one), len(other)) >= long and DamerauLevenshtein.distance(one, other) <= allowed


def _same(one: str, other: str) -> bool:
    return bool(one) and one == other


def _near_text(one: str, other: str) -> bool:
    digits = [[letter for letter in said if letter.isdigit()] for said in (one, other)]
    one, other = plain(one).casefold(), plain(other).casefold()
    return bool(one and other) and digits[0] == digits[1] and one[:1] == other[:1] and _edits(one, other, 5)


def _near_date(one: str, other: str) -> bool:
    if not one or not other:
        return False
    return one == other or sorted(one) == sorted(other) or sum(a != b for a, b in zip(one, other, strict=False)) == 1


def _near_email(left: Record, right: Record) -> bool:
    return any(_edits(one, other, 9) for one in left.emails for other in right.emails)
