"""What each level of agreement is worth. In: nothing. Out: bits, the binary logarithm of how much likelier it is among
records of one person than among those of two (Fellegi & Sunter, A Theory for Record Linkage, 1969).

Chances among two people follow from how names, days and places are spread in populations (a given name is shared by
1 in 200, a family name by 1 in 1,500, a birth date by 1 in 16,000); chances among records of one person from how often
forms and hands err (1 to 5 in 100). Not knowing is worth nothing. They are fixed and never learnt from a store.
"""

from __future__ import annotations

from hub.identity.evidence.births import Births, Nationals
from hub.identity.evidence.likeness import Family, Given
from hub.identity.evidence.means import Means
from hub.identity.evidence.places import Mail, Place
from hub.identity.evidence.verdict import Standing

PRIOR = -20.0  # one record in a million is of the same person; the same for a small store, so that growth joins nobody

GIVEN = {
    Given.CLASH: -9.0, Given.DOUBTFUL: -1.5, Given.UNKNOWN: 0.0, Given.INITIAL: 3.5, Given.TYPO: 6.5, Given.FORMAL: 6.0,
    Given.EQUAL: 7.6,
}  # fmt: skip
FAMILY = {
    Family.DIFFERENT: -5.6, Family.DOUBTFUL: 0.5, Family.UNKNOWN: 0.0, Family.INITIAL: 3.5, Family.TYPO: 8.0,
    Family.PART: 9.0, Family.EQUAL: 10.5,
}  # fmt: skip
BIRTHS = {
    Births.GENERATION: -9.0,
    Births.DIFFERENT: -9.0, Births.FAR: -2.0, Births.UNKNOWN: 0.0, Births.PART: 3.0, Births.NEAR: 5.0,
    Births.SWAPPED: 7.0, Births.SAME: 14.0,
}  # fmt: skip
PLACE = {
    Place.APART: -1.0, Place.UNKNOWN: 0.0, Place.MOVED: 2.0, Place.TOWN: 5.0, Place.AREA: 7.0,
    Place.POSTCODE: 9.5, Place.PARTS: 13.0, Place.STREET: 15.5,
    Place.HOME: 18.5,
}  # fmt: skip
MAIL = {Mail.UNLIKE: 0.0, Mail.EMPLOYER: 4.5, Mail.NAME: 8.0, Mail.TYPO: 12.0, Mail.NUMBERED: 0.0}
NATIONALS = {
    Nationals.DIFFERENT: -8.0, Nationals.UNKNOWN: 0.0, Nationals.NEAR: 9.0, Nationals.COMMON: 12.0,
    Nationals.SAME: 24.0,
}  # fmt: skip
COMMON_HOLDERS = 10  # more profiles than this make a national id one that many state
PHONES_ALIKE = 3.0
NUMBERED = -9.0  # a company that numbers its e-mail addresses tells two of one name apart
OTHER_CONTACTS = -1.0  # each has an e-mail address, or each a phone, and they share none
ABROAD = -2.0  # the two live in different countries

RARE_NAME, COMMON_NAME = 3.0, -5.0
RARE_HOLDERS = 3  # so many profiles of a full name make it rare

# A person's own contact. A phone is lent and inherited: alone it does not join.
PRIVATE = {Means.EMAIL: 25.0, Means.HANDLE: 25.0, Means.ID: 26.0, Means.PHONE: 21.0}
# What a household or a company shares says that people belong together, not that they are one.
HOUSEHOLD = {Means.EMAIL: 16.0, Means.HANDLE: 16.0, Means.ID: 14.0, Means.PHONE: 16.0, Means.DEVICE: 12.0}
COMPANY = {
    Means.EMAIL: 12.0,
    Means.HANDLE: 12.0,
    Means.ID: 10.0,
    Means.PHONE: 11.0,
    Means.DEVICE: 6.0,
    Means.INBOX: 12.0,
}
OWN_DEVICE = 13.0
SHARES = {Standing.PERSONAL: PRIVATE, Standing.HOUSEHOLD: HOUSEHOLD, Standing.COMPANY: COMPANY}

# Family name, address and shared contacts hang together: as a group they are worth no more than this. Within a
# household every second record is of another person; within a company nearly every one.
MOST_OF_HOUSEHOLD, MOST_OF_COMPANY = 19.0, 17.5
# In a register that states nobody's contacts, a row in fifty has somebody else's given name or birth date in it, and
# namesakes or twins of one house are rarer than that.
WRONG_VALUE = -5.0
MOST_OF_REGISTER = 28.0
PRIOR_OF_REGISTER = -17.0  # registers without contacts are those of a town and its people, not of millions of visitors
MOST_OF_A_NAME = 1.0  # a name alone joins nobody, however rare
MOST = 40.0
MOST_UNNAMED = 5.5  # twins share all but the given name
