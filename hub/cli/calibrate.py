"""`hub identity calibrate`. In: a resolved store. Out: what its records say of their errors, shown, and kept where that
is asked for.
"""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import func, select

from hub import terminal
from hub.cli.frame import Database, command_settings, store_alone
from hub.identity.evidence.agreement import Agreement
from hub.identity.evidence.births import Births, Nationals
from hub.identity.evidence.calibration import Calibration
from hub.identity.evidence.learning import FEWEST, learn
from hub.identity.evidence.likeness import Family, Given, Names
from hub.identity.evidence.persons import weigh
from hub.identity.evidence.places import Mail, Place
from hub.identity.evidence.verdict import WHOLE
from hub.identity.rules import Rules
from hub.identity.steward.calibrate import forget, keep, kept, look
from hub.rules import load_rules
from hub.store.engine import Store
from hub.store.kept import profile_ledger

_CASES = {
    "another given name, the same birth date": (Given.CLASH, Births.SAME),
    "another given name, no birth date": (Given.CLASH, Births.UNKNOWN),
    "another given name, another birth date": (Given.CLASH, Births.DIFFERENT),
    "the same given name, another birth date": (Given.EQUAL, Births.DIFFERENT),
    "the same given name, born a generation apart": (Given.EQUAL, Births.GENERATION),
    "no given name, another birth date": (Given.UNKNOWN, Births.DIFFERENT),
}


def calibrate_judgement(
    write: Annotated[bool, typer.Option("--write", help="Keep it: the next run resolves everybody by it.")] = False,
    back: Annotated[bool, typer.Option("--forget", help="Go back to what the rules say.")] = False,
    database: Database = None,
) -> None:
    """Learn, without labels, how often names and birth dates are wrong in records that state no contact."""
    if write and back:
        raise typer.BadParameter("keeps, and --forget goes back; say one of them", param_hint="--write")
    settings = command_settings(database)
    rules = Rules(load_rules(settings.folders))
    with store_alone(settings) as store:
        if back:
            _go_back(store)
        elif (learnt := _learnt(store, rules)) is not None and write:
            with store.write() as connection:
                keep(connection, learnt)
            terminal.say("kept; the next `hub sync` resolves everybody by it")


def _go_back(store: Store) -> None:
    with store.write() as connection:
        gone = forget(connection)
    terminal.say("forgotten; the next `hub sync` resolves everybody again" if gone else "nothing is kept")


def _learnt(store: Store, rules: Rules) -> Calibration | None:
    """Shows what is found, and what would change by it."""
    with store.read() as connection:
        before, seen = kept(connection), look(connection, rules)
        pending = connection.scalar(select(func.count()).where(profile_ledger.c.pending.is_(True))) or 0
    if pending:
        terminal.say(f"{pending:,} profiles wait to be resolved: `hub sync` first, and more is seen")
    learnt = learn(seen.counts)
    if learnt is None:
        found = f"{sum(seen.counts.values()):,} pairs of one home without contacts"
        terminal.say(f"too little to learn from: {found}; it takes {FEWEST} that state given names and birth dates")
        return None
    _show(learnt)
    _show_cases(before, learnt, rules.judge.join)
    now, then = (seen.joined(each, rules.judge.join) for each in (before, learnt))
    terminal.say(f"of these pairs {now:,} are joined now, {then:,} as learnt")
    return learnt


def _show(learnt: Calibration) -> None:
    two = sum(home.pairs * (home.households + home.strangers) for home in learnt.homes)
    rows = [
        ("pairs of one home without contacts", f"{learnt.pairs:,}", ""),
        ("two people", f"{two / learnt.pairs:.2%}", "of these pairs; the others are one person's records"),
        ("another given name", f"{learnt.wrong_given:.2%}", "of pairs that are one person's"),
        ("another birth date", f"{learnt.wrong_birth:.2%}", "of pairs that are one person's"),
        ("another family name", f"{1 - learnt.family:.2%}", "of pairs that are one person's"),
    ]
    terminal.show_table("What the records say of their errors", ("", "figure", "note"), rows, figures=("figure",))


def _show_cases(before: Calibration | None, learnt: Calibration, join: int) -> None:
    rows = []
    for words, (given, births) in _CASES.items():
        names = Names(given, Family.EQUAL, clash=given is Given.CLASH)
        found = Agreement(
            names, births, Place.HOME, Mail.UNLIKE, False, 0, Nationals.UNKNOWN, 0, 0, False, False, False, True
        )
        rows.append((words, _said(found, join, before), _said(found, join, learnt)))
    title = "The same family name and address, and"
    terminal.show_table(title, ("", "now", "as learnt"), rows, figures=("now", "as learnt"))


def _said(found: Agreement, join: int, learnt: Calibration | None) -> str:
    verdict = weigh(found, join, learnt)
    return f"{verdict.verdict} {verdict.score / WHOLE:.3f}"
