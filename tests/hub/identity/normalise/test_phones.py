"""Phone numbers and devices: which are one line or device, and which identify nobody."""

from __future__ import annotations

import pytest

from hub.identity.normalise.forms import Forms

ONE_LINE = {
    "as mapped": ("+493023125001", ""),
    "blanks": ("+49 30 231 25-001", ""),
    "national, of the company's country": ("030 23125001", ""),
    "with an extension": ("+49 30 23125001 ext. 12", ""),
    "with an extension behind x": ("030 23125001 x12", ""),
    "international prefix": ("0049 30 23125001", ""),
}


@pytest.mark.parametrize(("value", "country"), ONE_LINE.values(), ids=ONE_LINE)
def test_one_form_for_one_line(forms: Forms, value: str, country: str) -> None:
    assert forms.phones.phone(value, country) == "+493023125001"


def test_a_national_number_is_one_of_the_profiles_country(forms: Forms) -> None:
    assert forms.phones.phone("044 668 18 00", "CH") == "+41446681800"
    assert forms.phones.phone("030 23125001", "") == "+493023125001"


def test_what_cannot_be_read_keeps_its_digits(forms: Forms) -> None:
    assert forms.phones.phone("9 88 77 12 13 14 15 16 17 18") == "9887712131415161718"


NO_LINE = {
    "all zeros": "+490000000",
    "one digit": "+49 5555555",
    "too short": "12345",
    "counted up": "123456789",
    "counted down": "+49 87654321",
    "no number": "unknown",
    "empty": "",
}


@pytest.mark.parametrize("value", NO_LINE.values(), ids=NO_LINE)
def test_numbers_that_reach_nobody(forms: Forms, value: str) -> None:
    assert forms.phones.phone(value) is None
    assert forms.junk_phone(value)


DEVICES = {
    "a cookie": (" GA1.2.1234.5678 ", "GA1.2.1234.5678"),
    "zeros": ("00000000-0000-0000-0000-000000000000", None),
    "null": ("null", None),
    "undefined": ("Undefined", None),
    "empty": (" ", None),
}


@pytest.mark.parametrize(("value", "expected"), DEVICES.values(), ids=DEVICES)
def test_devices(forms: Forms, value: str, expected: str | None) -> None:
    assert forms.devices.device(value) == expected
