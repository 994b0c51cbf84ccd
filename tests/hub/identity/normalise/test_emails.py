"""E-mail addresses: which are one inbox, which identify nobody, which several people read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.identity.normalise.emails import Emails
from hub.identity.normalise.forms import Forms
from mappings.loader import load_rulebook, shipped

SHIPPED = Emails(load_rulebook([shipped()]).identity)

ONE_INBOX = {
    "case and blanks": (" Anna.Vogt@Mail.Example ", "anna.vogt@mail.example"),
    "signs that nobody sees": ("an\u200bna@mail.example\ufeff", "anna@mail.example"),
    "plus tag": ("anna+news@mail.example", "anna@mail.example"),
    "only a tag": ("+x@mail.example", "+x@mail.example"),
    "dots that do not count": ("Anna.V.ogt@gmail.com", "annavogt@gmail.com"),
    "dots that count": ("anna.vogt@web.de", "anna.vogt@web.de"),
    "two domains of one provider": ("anna.vogt+x@googlemail.com", "annavogt@gmail.com"),
    "an old domain of a provider": ("anna@me.com", "anna@icloud.com"),
    "a tag behind a dash": ("anna-shop@yahoo.de", "anna@yahoo.de"),
    "a dash elsewhere": ("anna-lena@web.de", "anna-lena@web.de"),
    "the user as a subdomain": ("shop@anna.fastmail.com", "anna@fastmail.com"),
    "letters beyond the basic alphabet": ("info1@müller.de", "info1@xn--mller-kva.de"),
    "the same as sent": ("info1@xn--mller-kva.de", "info1@xn--mller-kva.de"),
    "a mistyped provider": ("anna.vogt@gmial.com", "annavogt@gmail.com"),
    "a dot at the end": ("anna@mail.example.", "anna@mail.example"),
    "a link": ("mailto:anna@mail.example", "anna@mail.example"),
    "nothing but dots": ("..@gmail.com", "..@gmail.com"),
}


@pytest.mark.parametrize(("value", "expected"), ONE_INBOX.values(), ids=ONE_INBOX)
def test_one_form_for_one_inbox(forms: Forms, value: str, expected: str) -> None:
    assert forms.emails.email(value) == expected
    assert forms.emails.email(expected) == expected
    assert not forms.junk_email(value)


NOBODY = {
    "no reply": "noreply@post.example",
    "no reply, tagged": "noreply+7@post.example",
    "test": "Test@Test.example",
    "keyboard": "asdf@mail.example",
    "no address": "n/a",
    "no domain": "anna@",
    "no name": "@mail.example",
    "empty": "",
}


@pytest.mark.parametrize("value", NOBODY.values(), ids=NOBODY)
def test_what_identifies_nobody(forms: Forms, value: str) -> None:
    assert forms.emails.email(value) is None
    assert forms.junk_email(value)


INBOXES = {
    "info": ("info@acme.example", True),
    "of a town": ("info.berlin@acme.example", True),
    "of a region": ("sales-emea@acme.example", True),
    "in German": ("buchhaltung@acme.example", True),
    "in French": ("accueil@acme.example", True),
    "in Polish": ("biuro@acme.example", True),
    "in Portuguese": ("atendimento@acme.example", True),
    "accents": ("comptabilité@acme.example", True),
    "a person": ("anna.vogt@acme.example", False),
    "a person behind two letters": ("it.schmidt@acme.example", False),
    "two words with a dash": ("service-center@acme.example", True),
    "a person whose name begins so": ("infante@acme.example", False),
}


@pytest.mark.parametrize(("value", "several"), INBOXES.values(), ids=INBOXES)
def test_inboxes_that_several_people_read(forms: Forms, value: str, several: bool) -> None:
    assert forms.role_inbox(value) is several


@given(
    st.text("abAB.+-_ü", min_size=1, max_size=8),
    st.sampled_from(
        ["gmail.com", "Googlemail.com", "yahoo.de", "x.fastmail.com", "proton.me", "a.example", "ä.example"]
    ),
)
def test_the_form_of_a_form_is_itself(name: str, domain: str) -> None:
    form = SHIPPED.email(f"{name}@{domain}")
    assert form is None or SHIPPED.email(form) == form
