"""What can be wrong in how a file says to fetch: refused when loading, with its line and what helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.checking.document import MappingError
from mappings.loader import load_system

GOOD = """\
system: thing
kind: crm
about: A thing.
settings:
  token: {secret: true}
  user: {}
http:
  base_url: "https://thing.example"
  hosts: [files.thing.example, "${user}.thing.example"]
  auth: {bearer: "${token}"}
  rates: {/search/*: 4/s}
streams:
  people:
    post: /search
    body: {json: {query: 'changed > "{since}"', page: 1}}
    pages: {keyset: [changed, id], then: {body.after: "{last.changed} {last.id}"}, size: {body.limit: 100}}
    since: {field: changed, as: "%d.%m.%Y %H:%M", zone: Europe/Berlin, from: 2020-01-01}
    key: id
    profile: {kind: PERSON}
  notes:
    get: /people/{parent.id}/notes
    parent: {stream: people, keep: {person: id}}
    key: id
    belongs_to: {stream: people, key: person}
  gone:
    get: /gone
    key: id
    deletes: people
    belongs_to: {stream: people, key: id}
    webhook:
      signature: {secret: "${token}", header: X-Signature}
"""

WRONG = [
    ("an address in place of a path", "get: /gone", "get: https://x.example/gone", "26: a path below the base URL"),
    ("host with a scheme", "[files.thing", "[https://files.thing", "9: `https://files.thing.example` is no host"),
    ("rate of no path", "{/search/*:", "{search:", "11: `search` is no path"),
    ("credential that is no secret", 'bearer: "${token}"', 'bearer: "${user}"', "10: the setting `user` carries a"),
    ("signature written out", 'secret: "${token}", header', "secret: abc, header", "31: a secret is written out"),
    ("body place without body", "get: /gone", "get: /gone\n    pages: {page: body.page}", "27: `body.page` goes into"),
    ("parent word without parent", "get: /gone", "get: /gone/{parent.id}", "26: {parent.id} is known where"),
    ("since word without since", "get: /gone", "get: /gone/{since}", "26: {since} is known where"),
    ("last word on the first page", "get: /gone", "get: /gone/{last.id}", "26: {last.id} is known from the second"),
    ("keyset without its path", "keyset: [changed, id]", "keyset: [id]", "16: `last.changed` is none of what the list"),
    ("nobody asks for changes", '"{since}"', '"x"', "17: nothing asks for changes"),
    ("window without end", "from: 2020-01-01", "from: 2020-01-01, step: 7d", "17: a window needs an end"),
    ("no pattern", '"%d.%m.%Y %H:%M"', "german", "17: `german` is neither iso, date"),
    ("no zone", "Europe/Berlin", "Europe/Berlim", "17: `Europe/Berlim` is no time zone; did you mean `Europe/Berlin`"),
    ("no first day", "from: 2020-01-01", "from: start", "17: `start` is no date"),
    (
        "a notified record without its parent's words",
        "keep: {person: id}}",
        'keep: {person: id}}\n    webhook: {signature: {secret: "${token}", header: X-S}}',
        "23: a record in a notification has not what `parent` gives: say `record: null`",
    ),
    ("unknown parent", "{stream: people, keep", "{stream: poeple, keep", "22: `poeple` is no stream here: people"),
    ("parent of itself", "{stream: people, keep", "{stream: notes, keep", "22: a stream cannot be its own parent"),
    ("deletes nothing", "deletes: people", "deletes: persons", "28: `persons` is no stream here"),
    (
        "absent in a part",
        "    since: {field",
        "    deleted: {absent: true}\n    since: {field",
        "only a full reading can miss",
    ),
    (
        "absent of children",
        "keep: {person: id}}",
        "keep: {person: id}}\n    deleted: {absent: true}",
        "only a full reading",
    ),
    ("two ways of paging", "{keyset: [changed, id], ", "{page: p, keyset: [changed, id], ", "say exactly one of page"),
    ("keyset that asks nothing", ', then: {body.after: "{last.changed} {last.id}"}', "", "`keyset` and `then` go"),
    ("get and post", "get: /gone", "get: /gone\n    post: /gone", "say exactly one of get, post"),
    ("body of a get", "get: /gone", "get: /gone\n    body: {json: {}}", "`body` goes with `post`"),
    (
        "records of a CSV",
        "get: /gone",
        "get: /gone\n    format: csv\n    records: data",
        "an answer in csv is the list",
    ),
    (
        "no encoding",
        "get: /gone",
        "get: /gone\n    format: csv\n    csv: {encoding: utf-7-8}",
        "28: `utf-7-8` is no encoding",
    ),
    (
        "parent with since",
        "keep: {person: id}}",
        "keep: {person: id}}\n    since: {param: s, field: f}",
        "`parent` goes without",
    ),
    (
        "stamped signature without its time",
        "header: X-Signature",
        'header: X-S, signed: "{timestamp}{body}"',
        "holds {timestamp}",
    ),
    (
        "login without a secret",
        'auth: {bearer: "${token}"}',
        "auth: {login: {post: /in, form: {u: a}, token: t}}",
        "10: a login sends no",
    ),
    (
        "undeclared setting",
        'bearer: "${token}"',
        'bearer: "${tokn}"',
        "10: the setting `tokn` is not declared; declared: token",
    ),
    ("setting that is not closed", 'bearer: "${token}"', 'bearer: "${token"', "10: a `${` that no setting's name and"),
    ("setting of two words", "user: {}", "user: {}\n  api-key: {}", "7: `api-key` is no setting's name"),
    ("base URL without a scheme", '"https://thing.example"', "thing.example", "8: `thing.example` is no address"),
    ("base URL that all can read", '"https://thing', '"http://thing', "8: `http://thing.example` is no address"),
    (
        "credential in a header",
        "get: /gone",
        "get: /gone\n    headers: {authorization: abc}",
        "27: a secret is written",
    ),
    (
        "number for a header",
        "get: /gone",
        "get: /gone\n    headers: {X-V: 2}",
        "27: `X-V` should be a text, not `2`: put",
    ),
    ("unknown word in the path", "get: /gone", "get: /gone/{id}", "26: `{id}` is no placeholder; there are {since}"),
    ("unknown word as a parameter", "get: /gone", 'get: /gone\n    params: {a: "{{ id }}"}', "27: `{{ id }}` is no"),
    ("unknown word in the body", "page: 1}}", 'page: "{page}"}}', "15: `{page}` is no placeholder"),
    ("placeholder for a place", "then: {body.after:", 'then: {"{last.id}":', "16: a place is a parameter's name"),
    (
        "body within quotes",
        "{json: {query: 'changed > \"{since}\"', page: 1}}",
        "{json: '{}'}",
        "15: JSON within a text",
    ),
    ("path from a root", "get: /gone", "get: /gone\n    records: $.data", "27: `$.data` is no path: it begins at"),
    (
        "number in brackets",
        "get: /gone",
        "get: /gone\n    records: data[0].rows",
        "27: `data[0].rows` is no path: a number",
    ),
    (
        "any of many errors",
        "get: /gone",
        "get: /gone\n    error: {when: {errors.*.id: 1}}",
        "27: `errors.*.id` is no path here",
    ),
    ("path with a dot too many", "keyset: [changed, id]", "keyset: [changed, id.]", "16: `id.` is no path: names with"),
]


def problems(tmp_path: Path, text: str) -> str:
    path = tmp_path / "thing.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(MappingError) as refused:
        load_system(path)
    return "\n".join(str(problem).removeprefix(f"{path}:") for problem in refused.value.problems)


def test_a_file_that_uses_every_word_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "thing.yml"
    path.write_text(GOOD, "utf-8")
    system = load_system(path)
    assert system.streams["people"].method == "POST"
    assert system.streams["notes"].path == "/people/{parent.id}/notes"


@pytest.mark.parametrize(("said", "wrong", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_fetched_is_refused(tmp_path: Path, said: str, wrong: str, told: str) -> None:
    assert said in GOOD
    assert told in problems(tmp_path, GOOD.replace(said, wrong))


def test_parents_in_a_circle_are_refused(tmp_path: Path) -> None:
    circle = GOOD.replace("get: /gone\n", "get: /gone/{parent.id}\n    parent: {stream: notes}\n").replace(
        "parent: {stream: people,", "parent: {stream: gone,"
    )
    assert "the parents go in a circle" in problems(tmp_path, circle)
