"""In: a person's part and account. Out: their support cases with comments, promises and ratings."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from connectors.sandbox import plots
from connectors.sandbox.money import Account
from connectors.sandbox.names import AGENTS
from connectors.sandbox.window import DAY, HOUR, LAST_EVENT

PROMISE_SHARE = 0.2
RATED_SHARE = 0.45
CHANNELS = ("email", "email", "web", "chat", "voice")
_TEXTS: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    "en": {
        "question": (
            ("How do I change my address?", "Hello, where can I change the delivery address of my account?"),
            ("Invoice copy", "Could you send me a copy of my last invoice, please?"),
            ("Sensor range", "How far may the sensor be from the hub station?"),
        ),
        "complaint": (
            ("Third time this breaks", "The hub station stopped working again. I am really annoyed."),
            ("Charged twice?", "It looks as if I was charged twice. This is not acceptable, please check."),
            ("Nobody answers", "I have been waiting for an answer for days. Very disappointing service."),
        ),
        "praise": (
            ("Great help", "I want to say thank you, your colleague was fantastic, solved in minutes."),
            ("Love the new version", "The new version is wonderful, I recommended it to my neighbours."),
        ),
        "cancel": (
            ("Please cancel my subscription", "Please cancel my subscription at the next possible date."),
            ("Cancellation", "I want to cancel my contract, we no longer need it. Please confirm."),
            ("Moving to another provider", "I would like to cancel, we are switching to another provider."),
        ),
    },
    "de": {
        "question": (
            ("Adresse ändern", "Guten Tag, wo kann ich meine Lieferadresse ändern?"),
            ("Rechnungskopie", "Können Sie mir bitte eine Kopie der letzten Rechnung schicken?"),
            ("Reichweite", "Wie weit darf der Sensor von der Station entfernt sein?"),
        ),
        "complaint": (
            ("Schon wieder defekt", "Die Station fällt zum dritten Mal aus. Ich bin wirklich verärgert."),
            ("Doppelt abgebucht?", "Mir wurde doppelt abgebucht. Das geht so nicht, bitte prüfen Sie das."),
            ("Keine Antwort", "Ich warte seit Tagen auf eine Antwort. Sehr enttäuschender Service."),
        ),
        "praise": (
            ("Vielen Dank", "Ihre Kollegin war großartig und hat alles in wenigen Minuten gelöst. Danke!"),
            ("Tolle neue Version", "Die neue Version ist wunderbar, ich habe sie schon weiterempfohlen."),
        ),
        "cancel": (
            ("Kündigung", "Ich möchte kündigen, bitte zum nächstmöglichen Termin."),
            ("Vertrag kündigen", "Hiermit kündige ich meinen Vertrag. Bitte bestätigen Sie mir die Kündigung."),
            ("Wechsel", "Wir wechseln zu einem anderen Anbieter und möchten kündigen."),
        ),
    },
}
_ANSWERS = {
    "en": (
        "Thank you for your message, I am looking into it.",
        "Solved on our side, please try again.",
        "We will call you back by Friday.",
        "Thank you, it works now.",
    ),
    "de": (
        "Danke für Ihre Nachricht, ich kümmere mich darum.",
        "Wir haben es behoben, bitte versuchen Sie es erneut.",
        "Wir rufen Sie bis Freitag zurück.",
        "Danke, jetzt geht es.",
    ),
}
_THANKS = {
    "good": ("Quick and friendly", "Sehr freundlich", None),
    "bad": ("Took far too long", "Hat ewig gedauert", None),
    "offered": (None,),
}


@dataclass(frozen=True)
class Comment:
    """One message in a case, by the customer or by us; a private one is a note among agents."""

    at: int
    by_customer: bool
    text: str
    public: bool = True


@dataclass(frozen=True)
class Rating:
    """The answer to "how was it": good, bad, or only offered."""

    at: int
    score: str
    comment: str | None


@dataclass(frozen=True)
class Case:
    """A ticket and its course. `due_at` is set where a call back was promised."""

    subject: str
    kind: str
    channel: str
    agent: int
    status: str
    comments: tuple[Comment, ...]
    due_at: int | None
    updated_at: int
    rating: Rating | None

    @property
    def at(self) -> int:
        """When it was opened."""
        return self.comments[0].at


def open_cases(
    rng: Random, part: plots.Part, account: Account, language: str, began: int, quiet_from: int
) -> list[Case]:
    """All cases of a person, oldest first: solved ones between `began` and `quiet_from`, then those of the plots."""
    language = "de" if language == "de" else "en"
    cases: list[Case] = []
    for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
        at = rng.randint(began, quiet_from - 5 * DAY) if quiet_from - 5 * DAY > began else 0
        kind = rng.choice(("question", "question", "question", "complaint", "complaint", "praise"))
        if at:
            cases.append(_solved(rng, at, kind, language, rated=rng.random() < RATED_SHARE))
    if account.agreement is not None and account.agreement.ended is not None and account.agreement.cancelled_at:
        cases.append(_solved(rng, account.agreement.cancelled_at - HOUR, "cancel", language, rated=False))
    if plots.CASE_OPEN_TOO_LONG in part.plots:
        at = LAST_EVENT - rng.randint(20 * DAY, 50 * DAY)
        cases.append(_unsolved(rng, at, rng.choice(("question", "complaint")), language))
    if plots.CANCEL_INTENT in part.plots:
        cases.append(_unsolved(rng, LAST_EVENT - rng.randint(DAY, 12 * DAY), "cancel", language))
    return sorted(cases, key=lambda case: case.at)


def _solved(rng: Random, at: int, kind: str, language: str, *, rated: bool) -> Case:
    subject, body = rng.choice(_TEXTS[language][kind])
    looking, done, call, thanks = _ANSWERS[language]
    promised = rng.random() < PROMISE_SHARE
    reply = at + rng.randint(HOUR // 2, DAY)
    solved = reply + rng.randint(HOUR, 2 * DAY)
    comments = [
        Comment(at, True, body),
        Comment(reply, False, f"{looking} {call}" if promised else looking),
        Comment(solved, False, done),
    ]
    if rng.random() < 0.15:
        comments.insert(2, Comment(reply + 60, False, "Internal: known issue, see the wiki.", public=False))
    if rng.random() < 0.3:
        comments.append(Comment(solved + HOUR, True, thanks))
    rating = _rating(rng, solved + 6 * HOUR, kind) if rated else None
    status = "closed" if at < LAST_EVENT - 40 * DAY else "solved"
    return Case(
        subject,
        kind,
        rng.choice(CHANNELS),
        rng.randrange(len(AGENTS)),
        status,
        tuple(comments),
        reply + 2 * DAY if promised else None,
        max(rating.at if rating else 0, comments[-1].at),
        rating,
    )


def _rating(rng: Random, at: int, kind: str) -> Rating:
    scores = ("good", "bad", "bad", "offered") if kind == "complaint" else ("good", "good", "good", "offered")
    score = rng.choice(scores)
    return Rating(at, score, rng.choice(_THANKS[score]))


def _unsolved(rng: Random, at: int, kind: str, language: str) -> Case:
    subject, body = rng.choice(_TEXTS[language][kind])
    comments = [Comment(at, True, body)]
    promised = rng.random() < 2 * PROMISE_SHARE
    if promised or rng.random() < 0.5:
        looking, _, call, _ = _ANSWERS[language]
        comments.append(Comment(at + rng.randint(HOUR, 20 * HOUR), False, f"{looking} {call}" if promised else looking))
    return Case(
        subject,
        kind,
        rng.choice(CHANNELS),
        rng.randrange(len(AGENTS)),
        "open",
        tuple(comments),
        comments[-1].at + 2 * DAY if promised else None,
        comments[-1].at,
        None,
    )
