"""In: a clean name, e-mail or phone. Out: what a real system holds of it. Every share of noise is a constant here."""

from __future__ import annotations

from random import Random

from connectors.sandbox.names import NICKNAMES, folded

SECOND_EMAIL_SHARE = 0.22  # people who own a second address
SECOND_EMAIL_USE = 0.25  # of them: how often a system holds that one instead
SECOND_EMAIL_KNOWN = 0.8  # of them: how often the CRM lists it as an additional address
PLUS_TAG_SHARE = 0.04
CASE_SHARE = 0.12
TYPO_EMAIL_SHARE = 0.015
MISSING_EMAIL_SHARE = 0.03
NICKNAME_SHARE = 0.12  # of those whose name has one
MARRIED_SHARE = 0.02
FOLDED_SHARE = 0.15  # of those with letters beyond ASCII
MISSING_NAME_SHARE = 0.02
MISSING_PHONE_SHARE = 0.2
JUNK_EMAIL_SHARE = 0.012  # billing only: other systems refuse a second record with the same address
JUNK_PHONE_SHARE = 0.025
JUNK_NAME_SHARE = 0.006
BIRTH_DATE_SHARE = 0.35
FAMILY_SHARE = 0.05  # of household starts: two or three people, one phone, one family name
FAMILY_EMAIL_SHARE = 0.2  # of families: one e-mail for all
NAMESAKE_SHARE = 0.006  # of household starts: parent and child of one name, both with a birth date
INFO_INBOX_SHARE = 0.08  # contacts of an organization who write from its info@ address
SECOND_ACCOUNT_SHARE = 0.05  # people who have two accounts in billing
EXTERNAL_ID_SHARE = 0.3  # records that carry the CRM's id of the same person
LOGIN_BY_CRM_ID_SHARE = 0.2

JUNK_EMAILS = ("test@test.example", "none@none.example", "unknown@mail.example", "noreply@post.example")
JUNK_PHONES = ("0000000", "n/a", "unknown", "123456789", "-")
JUNK_NAMES = ("n/a", "unknown", "Test", ".")

_TRUNK = {"DE": "0", "GB": "0", "FR": "0", "NL": "0", "AT": "0", "CH": "0", "JP": "0", "US": "", "KW": ""}
_CODE = {"DE": "49", "GB": "44", "FR": "33", "NL": "31", "AT": "43", "CH": "41", "JP": "81", "US": "1", "KW": "965"}
# Ranges that regulators keep for drama and documentation, where the country has such: prefix, digits left free.
_FICTIONAL: dict[str, tuple[tuple[str, int], ...]] = {
    "DE": (("3023125", 3), ("6990009", 3), ("4066969", 3), ("2214710", 3), ("8999998", 3)),
    "GB": (
        *((f"{area}4960", 3) for area in ("113", "114", "116", "117", "118", "121", "131", "141", "151", "161")),
        ("2079460", 3),
        ("2890180", 3),
        ("2920180", 3),
        ("1914980", 3),
    ),
    "US": tuple(
        (f"{area}55501", 2)
        for area in (
            "212",
            "312",
            "415",
            "206",
            "305",
            "404",
            "503",
            "602",
            "617",
            "702",
            "713",
            "718",
            "801",
            "818",
            "901",
            "917",
            "919",
            "214",
            "216",
            "303",
        )
    ),
    "FR": (("19900", 4), ("26191", 4), ("35301", 4), ("46571", 4), ("53649", 4)),
    "NL": (("8500", 5),),
    "AT": (("7201", 5),),
    "CH": (("44555", 4),),
    "JP": (("50123", 5),),
    "KW": (("9555", 4),),
}
# Past the reserved ranges: valid, yet no subscriber's line in practice (national and personal numbers).
_OVERFLOW = {
    "DE": ("32221", 6),
    "GB": ("70", 8),
    "US": ("50055", 5),
    "FR": ("19900", 4),
    "NL": ("8500", 5),
    "AT": ("7201", 5),
    "CH": ("44555", 4),
    "JP": ("50123", 5),
    "KW": ("9555", 4),
}


def phone_number(country: str, serial: int) -> str:
    """The `serial`-th invented subscriber of a country, as E.164; distinct while the country's ranges last."""
    for prefix, digits in _FICTIONAL[country]:
        if serial < 10**digits:
            return f"+{_CODE[country]}{prefix}{serial:0{digits}d}"
        serial -= 10**digits
    prefix, digits = _OVERFLOW[country]
    return f"+{_CODE[country]}{prefix}{serial % 10**digits:0{digits}d}"


def phone_as_written(rng: Random, phone: str, country: str) -> str:
    """The number as somebody typed it: E.164, national, international with spaces or with the (0)."""
    code, trunk = _CODE[country], _TRUNK[country]
    rest = phone[len(code) + 1 :]
    area, line = rest[:3], rest[3:]
    if country == "US":
        dashed = f"{line[:3]}-{line[3:]}"
        return rng.choice((phone, f"({area}) {dashed}", f"{area}-{dashed}", f"+1 {area} {line}"))
    forms = [phone, phone, f"{trunk}{rest}", f"{trunk}{area} {line}", f"+{code} {area} {line}"]
    if country != "JP":  # dials abroad with 010
        forms.append(f"00{code} {area}{line}")
    if trunk:
        forms.append(f"+{code} (0){area} {line[:2]} {line[2:]}")
    return rng.choice(forms)


def email_as_written(rng: Random, email: str) -> str:
    """The address with the tags, capitals and typos of a form filled in by hand; the domain stays whole."""
    local, _, domain = email.partition("@")
    roll = rng.random()
    if roll < TYPO_EMAIL_SHARE and len(local) > 3:
        spot = rng.randrange(1, len(local) - 1)
        local = local[:spot] + local[spot + 1] + local[spot] + local[spot + 2 :]
    elif roll < TYPO_EMAIL_SHARE + PLUS_TAG_SHARE:
        local += rng.choice(("+shop", "+news", "+billing"))
    if rng.random() < CASE_SHARE:
        titled = local.title()
        return rng.choice((f"{titled}@{domain.title()}", f"{local}@{domain}".upper(), f"{titled}@{domain}"))
    return f"{local}@{domain}"


def given_as_written(rng: Random, given: str) -> str:
    """The given name, its nickname, or its ASCII form."""
    if given in NICKNAMES and rng.random() < NICKNAME_SHARE:
        return NICKNAMES[given]
    return folded(given) if rng.random() < FOLDED_SHARE else given


def family_as_written(rng: Random, family: str, born: str | None) -> str:
    """The family name, the one before the marriage, or its ASCII form."""
    name = born if born is not None and rng.random() < 0.5 else family
    return folded(name) if rng.random() < FOLDED_SHARE else name
