"""The lexicon of intents on whole sentences, denials among them; and docs/rules.md knows every word of the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.expression import FUNCTIONS
from mappings.converting.lexicon import Lexicon, intent, read_lexicon
from mappings.model import INTENTS
from mappings.rulebook import Rulebook

SAID: dict[str, tuple[str, str | None]] = {
    # sentence: language, intent
    "Ich möchte kündigen.": ("de", "CANCEL"),
    "Guten Tag, ich möchte kündigen, bitte zum nächstmöglichen Termin.": ("de", "CANCEL"),
    "Ich moechte kuendigen": ("de", "CANCEL"),
    "ICH MÖCHTE KÜNDIGEN!!!": ("de", "CANCEL"),
    "Hiermit kündige ich meinen Vertrag fristgerecht.": ("de", "CANCEL"),
    "Wir wechseln zu einem anderen Anbieter und möchten kündigen.": ("de", "CANCEL"),
    "Bitte kündigen Sie meinen Vertrag.": ("de", "CANCEL"),
    "Wie kann ich kündigen?": ("de", "CANCEL"),
    "Ich möchte nicht kündigen, ich habe nur eine Frage.": ("de", None),
    "Keine Sorge, wir kündigen nicht.": ("de", None),
    "Bitte kündigen Sie meinen Besuch beim Empfang an.": ("de", None),
    "Gilt die Kündigungsfrist auch für mich?": ("de", None),
    "Der Wettbewerb kündigt neue Preise an.": ("de", None),
    "Please cancel my subscription at the next possible date.": ("en", "CANCEL"),
    "I’d like to cancel, thanks.": ("en", "CANCEL"),
    "How do I cancel?": ("en", "CANCEL"),
    "We are cancelling our plan.": ("en", "CANCEL"),
    "We are canceling our plan.": ("en", "CANCEL"),
    "Please close my account.": ("en", "CANCEL"),
    "Please do not cancel my subscription!": ("en", None),
    "I don't want to cancel, I only have a question.": ("en", None),
    "I would not like to cancel.": ("en", None),
    "Please cancel my appointment on Friday.": ("en", None),
    "Noise-cancelling headphones, do you sell them?": ("en", None),
    "We are switching to another provider.": ("en", "SWITCH"),
    "Wir haben uns für einen anderen Anbieter entschieden.": ("de", "SWITCH"),
    "I want my money back.": ("en", "REFUND"),
    "Ich möchte mein Geld zurück.": ("de", "REFUND"),
    "You will hear from my lawyer.": ("en", "LEGAL"),
    "Ich werde meinen Anwalt einschalten und die Verbraucherzentrale informieren.": ("de", "LEGAL"),
    "This is unacceptable.": ("en", "COMPLAINT"),
    "Das geht so nicht, ich bin sehr verärgert.": ("de", "COMPLAINT"),
    "Your colleague was fantastic and solved it in minutes.": ("en", "PRAISE"),
    "Ihre Kollegin war großartig. Danke!": ("de", "PRAISE"),
    "How do I change my address?": ("en", None),
    "Wo kann ich meine Lieferadresse ändern?": ("de", None),
    "This is unacceptable, I want to cancel and I want my money back.": ("en", "CANCEL"),
    "Je souhaite résilier mon contrat.": ("fr", None),
}


@pytest.fixture(scope="module")
def lexicon(rulebook: Rulebook) -> Lexicon:
    return read_lexicon(rulebook.risk.intents)


@pytest.mark.parametrize(("said", "language", "expected"), [(s, *e) for s, e in SAID.items()], ids=list(SAID))
def test_a_sentence_wants_what_its_words_say(lexicon: Lexicon, said: str, language: str, expected: str | None) -> None:
    assert intent(said, lexicon, language) == expected


def test_where_the_language_is_unknown_every_language_counts(lexicon: Lexicon) -> None:
    assert intent("Ich möchte kündigen.", lexicon, None) == "CANCEL"
    assert intent("Please cancel my contract.", lexicon, None) == "CANCEL"


def test_every_intent_has_phrases_in_both_languages(rulebook: Rulebook) -> None:
    assert {name: set(languages) for name, languages in rulebook.risk.intents.items()} == {
        name: {"en", "de"} for name in INTENTS
    }


def test_the_guide_to_the_rules_knows_every_function_metric_and_rule(rulebook: Rulebook) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")
    names = [*FUNCTIONS, *rulebook.metrics.metrics, *rulebook.risk.rules, "as_of", "kind", "stage", "market_state"]
    assert [name for name in names if f"`{name}" not in guide] == []
    for name, metric in rulebook.metrics.metrics.items():
        assert f"| `{name}` | {metric.about}" in guide
