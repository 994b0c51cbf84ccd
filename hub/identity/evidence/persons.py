"""Two profiles of people. In: how their names, dates, places and contacts agree. Out: a verdict with its reasons.

Levels of agreement are weighed in bits and summed onto a fixed prior (Fellegi & Sunter 1969). Evidence that hangs
together is one group with a bound: what a household shares says that people live together, and only given name, birth
date and a contact of one's own say who of them it is. So siblings and spouses stay apart, however much they share.
"""

from __future__ import annotations

from math import log2

from hub.identity.evidence import weights
from hub.identity.evidence.agreement import Agreement, is_national, reasons_of
from hub.identity.evidence.births import Births, Nationals
from hub.identity.evidence.calibration import HOMES, Calibration, cell_of
from hub.identity.evidence.likeness import Family, Given
from hub.identity.evidence.means import Means
from hub.identity.evidence.places import Mail, Place
from hub.identity.evidence.verdict import MATCH, NO_MATCH, UNSURE, WHOLE, Standing, Verdict

CERTAIN, IMPOSSIBLE = 999_500, 500  # scores, in millionths, that no sum of evidence exceeds
VETOED = 10_000
BY_ID = 993_000
BY_ID_ALONE = 985_000
BY_ID_AGAINST = 930_000  # an id that one carries and the other owns, although name or birth date differ
AT_MOST_IN_SPITE = 950_000
LIKELIER = 500_000  # than not
DOUBTED = 700_000  # twins, a father and his son, or a wrong row
VISITOR = 930_000  # a nameless visitor on the device of one person

WRONG_NAME, WRONG_BIRTH = "wrong_name", "wrong_birth_date"


def weigh(found: Agreement, join: int, learnt: Calibration | None = None) -> Verdict:
    """The verdict: MATCH from a score of `join` on. The score is the chance that both are one, in millionths.

    Of two who state no contact it follows what was `learnt` of such records, if anything was.
    """
    learnt = learnt if found.contactless else None
    reasons = tuple(reasons_of(found))
    different = found.births <= Births.DIFFERENT
    if found.owned and not (different and found.names.clash):
        against = different or found.names.clash
        score = BY_ID_AGAINST if against else BY_ID if found.names.given > Given.UNKNOWN else BY_ID_ALONE
        return Verdict(MATCH, "external_id", score, reasons)
    if different or found.names.clash:
        return _in_spite(found, join, learnt, reasons)
    if found.visitor:
        alone = (Means.DEVICE, Standing.PERSONAL) in found.held
        return Verdict(MATCH, "device", VISITOR, reasons) if alone else Verdict(UNSURE, "device", WHOLE // 4, reasons)
    score = chance(bits(found, learnt))
    return Verdict(MATCH if score >= join else UNSURE, _rule(found, score >= join), score, reasons)


def _in_spite(found: Agreement, join: int, learnt: Calibration | None, reasons: tuple[str, ...]) -> Verdict:
    """Different given names or birth dates veto, but for a national id. In a register without contacts one wrong value
    where all else agrees is for a person to look at, or as likely as was learnt; a name at one door with two birth
    dates of one generation, and a national id with a slip, are one person's.
    """
    different = found.births <= Births.DIFFERENT
    veto = Verdict(NO_MATCH, "birth_date_differs" if different else "name_differs", VETOED, reasons)
    national = found.nationals is Nationals.SAME
    if not found.contactless and (not national or (different and found.names.clash)):
        return veto
    likely = _namesake_at_home(found) if different else found.births >= Births.NEAR
    if not learnt and not likely and found.nationals < Nationals.NEAR:
        return veto
    score = chance(bits(found, learnt))
    if score < (LIKELIER if learnt else join):
        return veto
    if national and score >= join:
        return Verdict(MATCH, "national_id", score, reasons)
    rule = WRONG_BIRTH if different else WRONG_NAME
    if score >= join if learnt else found.nationals is Nationals.NEAR or _named_so_at_one_door(found):
        return Verdict(MATCH, rule, min(score, AT_MOST_IN_SPITE), reasons)
    return Verdict(UNSURE, rule, min(score, join - 1, WHOLE if learnt else DOUBTED), reasons)


def _named_so_at_one_door(found: Agreement) -> bool:
    """Whether only the birth date differs, by less than a generation: nobody names two children alike."""
    names = found.names.given is Given.EQUAL and found.names.family >= Family.PART and found.rarity >= 0
    return found.births is Births.DIFFERENT and found.place is Place.HOME and names


def _namesake_at_home(found: Agreement) -> bool:
    return found.place >= Place.PARTS and found.names.full


def chance(evidence: float) -> int:
    """The chance that odds of so many bits mean, in millionths."""
    return min(CERTAIN, max(IMPOSSIBLE, round(WHOLE / (1 + 2**-evidence))))


def bits(found: Agreement, learnt: Calibration | None = None) -> float:
    """The evidence that both are one, with the prior: the binary logarithm of the odds."""
    if learnt:
        return _learnt_bits(found, learnt)
    given, different = found.names.given, found.births <= Births.DIFFERENT
    said = weights.WRONG_VALUE if given is Given.CLASH else weights.GIVEN[given]
    said += weights.WRONG_VALUE if different else weights.BIRTHS[found.births]
    return _weighed(found, (weights.PRIOR_OF_REGISTER if _register(found) else weights.PRIOR) + said)


def _learnt_bits(found: Agreement, learnt: Calibration) -> float:
    """By what was learnt of records without contacts. At one home by who is found there; elsewhere that is the bound,
    as a family's twins may move, and below it strangers who share so much by chance are reckoned with.
    """
    rest = _national(found) + (weights.ABROAD if found.abroad else 0.0)
    if found.place in HOMES:
        return log2(learnt.odds(cell_of(found.names, found.births, found.place))) + rest
    given, born = found.names.given, found.births
    said = min(learnt.given_bits[given], 0.0) if given < Given.UNKNOWN else weights.GIVEN[given]
    said += min(learnt.births_bits[born], 0.0) if born < Births.UNKNOWN else weights.BIRTHS[born]
    if found.names.family is Family.DIFFERENT:
        said += max(learnt.family_bits - weights.FAMILY[Family.DIFFERENT], 0.0)
    apart = found.names.clash or born <= Births.DIFFERENT
    strangers = _weighed(found, (weights.PRIOR if apart else weights.PRIOR_OF_REGISTER) + said)
    return min(strangers, log2(learnt.odds(cell_of(found.names, born, Place.HOME))) + rest)


def _weighed(found: Agreement, said: float) -> float:
    """What is said of given name and birth date, with all else that was found."""
    private = _private(found)
    total = said + _group(found, private) + _national(found)
    total += weights.OTHER_CONTACTS * found.other_contacts + (weights.ABROAD if found.abroad else 0.0)
    total += weights.NUMBERED if found.mail is Mail.NUMBERED else 0.0
    if not private and found.place < Place.STREET and not _of_household(found):
        total += weights.RARE_NAME if found.rarity > 0 else weights.COMMON_NAME if found.rarity < 0 else 0.0
    return min(total, _most(found, private))


def _national(found: Agreement) -> float:
    another = found.contactless and found.nationals is Nationals.DIFFERENT
    return weights.WRONG_VALUE if another else weights.NATIONALS[found.nationals]


def _most(found: Agreement, private: float) -> float:
    """The bound for those of whom only the name agrees, and for those of whom the given name is not known to."""
    more = found.held or found.mail or found.phones_alike or found.births > Births.UNKNOWN
    if not more and found.place <= Place.UNKNOWN and found.nationals <= Nationals.UNKNOWN:
        return weights.MOST_OF_A_NAME
    unnamed = found.names.given in (Given.UNKNOWN, Given.DOUBTFUL) and found.nationals < Nationals.NEAR
    return weights.MOST_UNNAMED if unnamed and not private and not found.contactless else weights.MOST


def _private(found: Agreement) -> float:
    """The best contact that is one person's own; each further one adds a little."""
    worth = [
        weights.PRIVATE[means]
        for means, standing in found.held
        if standing is Standing.PERSONAL and means in weights.PRIVATE and not is_national(means, found)
    ]
    return max(worth) + 2.0 * (len(worth) - 1) if worth else 0.0


def _of_household(found: Agreement) -> bool:
    return any(standing is Standing.HOUSEHOLD for _, standing in found.held)


def _group(found: Agreement, private: float) -> float:
    """Family name, address and contacts: one group, bounded by what it can say at most."""
    home = max(weights.PLACE[found.place], weights.MAIL[found.mail] if found.mail is not Mail.EMPLOYER else 0.0)
    if found.phones_alike:
        home += weights.PHONES_ALIKE
    work = weights.MAIL[Mail.EMPLOYER] if found.mail is Mail.EMPLOYER else 0.0
    for means, standing in found.held:
        if is_national(means, found):
            continue
        if standing is Standing.HOUSEHOLD:
            home = max(home, weights.HOUSEHOLD.get(means, 0.0))
        elif standing is Standing.COMPANY:
            work = max(work, weights.COMPANY.get(means, 0.0))
        elif means is Means.DEVICE:
            home = max(home, weights.OWN_DEVICE)
    most = weights.MOST_OF_COMPANY if work > home and found.place < Place.POSTCODE else weights.MOST_OF_HOUSEHOLD
    if _register(found):
        most = weights.MOST_OF_REGISTER
    family = weights.FAMILY[found.names.family]
    return min(private + max(home, work, 0.0) + family, max(private + 0.5, most)) + min(home, 0.0)


def _register(found: Agreement) -> bool:
    """Whether both stand in a register without contacts, and more than family name and home speaks for them: who
    shares these is mostly of one family.
    """
    more = found.births > Births.UNKNOWN or found.names.given > Given.INITIAL or found.nationals >= Nationals.NEAR
    return found.contactless and more


def _rule(found: Agreement, joined: bool) -> str:
    """The word for what decided."""
    if found.nationals is Nationals.SAME:
        return "national_id"
    contacts = {means: standing for means, standing in found.held if means in weights.HOUSEHOLD or means is Means.INBOX}
    if contacts:
        if not joined:
            return "shared_contact"
        best = max(contacts, key=lambda means: (weights.SHARES[contacts[means]].get(means, 0.0), -means))
        word = _CONTACT[best]
        alone = found.names.given is Given.UNKNOWN and found.names.family is Family.UNKNOWN
        return word if alone or best is Means.ID else f"{word}_and_name"
    if found.nationals is Nationals.DIFFERENT and not joined:
        return "national_id_differs"
    if found.births >= Births.NEAR:
        return "name_and_birth_date" if found.place < Place.POSTCODE else "name_birth_date_and_address"
    if found.place > Place.UNKNOWN:
        return "name_and_address"
    return _MAIL_RULES.get(found.mail, "name")


_CONTACT = {
    Means.ID: "same_id", Means.EMAIL: "email", Means.INBOX: "email", Means.PHONE: "phone", Means.HANDLE: "handle",
    Means.DEVICE: "device",
}  # fmt: skip
_MAIL_RULES = {
    Mail.EMPLOYER: "name_and_employer", Mail.NAME: "name_and_similar_email", Mail.TYPO: "name_and_similar_email"
}  # fmt: skip
