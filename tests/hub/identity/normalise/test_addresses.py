"""Postal addresses, written in several ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.normalise.addresses import Addresses
from hub.identity.normalise.forms import Forms
from mappings.loader import load_rulebook, shipped

SHIPPED = Addresses(load_rulebook([shipped()]).identity)

ALIKE = {
    "short for street": ("hauptstr. 12a, 10115, berlin, de", "hauptstraße 12a, 10115, berlin, de"),
    "street apart": ("haupt straße 12 a, 10115, berlin, de", "hauptstrasse 12a, 10115, berlin, germany"),
    "english street": ("12 high st, sw1a 1aa, london, gb", "12 high street, sw1a1aa, london, gb"),
    "a flat before": ("flat 3, 12 high street, sw1a 1aa, london, gb", "12 high street, sw1a 1aa, london, gb"),
    "a flat behind": ("12 high street, flat 3, sw1a 1aa, london, gb", "12 high street, sw1a 1aa, london, gb"),
    "a floor": ("calle mayor 5, 3º b, 28013, madrid, es", "calle mayor 5, 28013, madrid, es"),
    "stairs and door": ("mariahilfer straße 12/3/4, 1060, wien, at", "mariahilferstr. 12, 1060, vienna, at"),
    "a flat in Poland": ("nowogrodzka 47a m. 5, 00-950, warszawa, pl", "nowogrodzka 47a, 00950, warsaw, pl"),
    "road": ("5 mill rd, cb1 2aa, cambridge, gb", "5 mill road, cb1 2aa, cambridge, gb"),
    "no blank before the number": ("via cavour43, 70028, bari, it", "via cavour 43, 70028, bari, it"),
    "no blank behind the number": ("43cavour street, bari, it", "43 cavour street, bari, it"),
    "12 bis": ("12 bis rue de la paix, 75002, paris, fr", "rue de la paix 12bis, 75002, paris, fr"),
    "a district behind the postcode": ("1 main st, 94107-1234, boston, us", "1 main street, 94107, boston, us"),
    "the country before the postcode": ("musterweg 5, ch-8001, zürich, ch", "musterweg 5, 8001, zurich, ch"),
    "a zero that was lost": ("am markt 1, 1067, dresden, de", "am markt 1, 01067, dresden, de"),
    "the town's river": ("zeil 1, 60313, frankfurt am main, de", "zeil 1, 60313, frankfurt main, de"),
    "the town in two languages": ("marienplatz 1, 80331, münchen, de", "marienplatz 1, 80331, munich, de"),
    "saint": ("1 saint john street, 4011, st james, au", "1 st john st, 4011, saint james, au"),
}


@pytest.mark.parametrize(("left", "right"), ALIKE.values(), ids=ALIKE)
def test_addresses_of_one_place(forms: Forms, left: str, right: str) -> None:
    assert forms.addresses.address(left) == forms.addresses.address(right) is not None


PARTS = {
    "all": ("hauptstr. 12a, 10115, berlin, de", ("12a", "10115", ("berlin",), "DE")),
    "no country": ("hauptstr. 12a, 10115, berlin", ("12a", "10115", ("berlin",), "")),
    "no postcode": ("221b baker street, london", ("221b", "", ("london",), "")),
    "no town": ("hauptstr. 12a, 10115", ("12a", "10115", (), "")),
    "number first, a suburb in the street": (
        "6 tullaroop street willaroo, 4011, st james",
        ("6", "4011", ("stret", "iames"), ""),
    ),
    "a day in the street": ("straße des 17. juni 135, 10623, berlin", ("135", "10623", ("berlin",), "")),
    "an ordinal in the street": ("5th avenue 350, 10118, boston", ("350", "10118", ("boston",), "")),
    "two numbers": ("high street 12, 3, cb1 2aa, cambridge", ("12", "cb12aa", ("kambridge",), "")),
    "no number": ("am markt, berlin", ("", "", ("berlin",), "")),
}


@pytest.mark.parametrize(("value", "expected"), PARTS.values(), ids=PARTS)
def test_parts_of_an_address(forms: Forms, value: str, expected: tuple[str, str, tuple[str, ...], str]) -> None:
    address = forms.addresses.address(value)
    assert address is not None
    assert (address.number, address.postcode, address.city, address.country) == expected


@pytest.mark.parametrize(
    "value", ["", "x", ",", " , ,", "berlin"], ids=["empty", "x", "comma", "commas", "a town alone"]
)
def test_what_is_no_address(forms: Forms, value: str) -> None:
    assert forms.addresses.address(value) is None


def test_the_profiles_country_says_how_long_a_postcode_is(forms: Forms) -> None:
    address = forms.addresses.address("am markt 1, 1067, dresden", "DE")
    assert address is not None
    assert address.postcode == "01067"


@given(st.text("ab1 ,./-#'ßé5straße", max_size=40))
def test_no_text_breaks_an_address(value: str) -> None:
    address = SHIPPED.address(value)
    assert address is None or (address.street and (address.number or address.postcode or address.city))
