"""What a mapping file may not say about notifications: the file, the line, and what is wrong there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.loader import MappingError, load_system

FILE = """
system: shop
kind: crm
about: A shop.
settings: {{secret: {{secret: true}}, name: {{}}}}
http:
  base_url: https://shop.example
{http}
streams:
  people:
    get: /people
    key: id
    webhook: {webhook}
    profile: {{kind: PERSON, display_name: name}}
"""
SIGNED = '  signature: {{secret: "${{secret}}", header: X-Signature{more}}}'

WRONG: dict[str, tuple[str, str, str]] = {
    "nobody says how they are signed": ("", "{record: null}", "nothing says how these are signed"),
    "a secret that is written out": (
        SIGNED.format(more="").replace("${secret}", "hunter2"),
        "{}",
        "a secret is written out",
    ),
    "a setting that is no secret": (
        SIGNED.format(more="").replace("${secret}", "${name}"),
        "{}",
        "the setting `name` carries a credential",
    ),
    "a word that there is none of": (
        SIGNED.format(more=', signed: "{nonce}{body}"'),
        "{}",
        "`signed` holds {nonce}; it may hold {method}, {url}, {body}, {timestamp}, {id}",
    ),
    "a time that stands nowhere": (SIGNED.format(more=', signed: "{timestamp}"'), "{}", "`signed` holds {timestamp}"),
    "an id that stands nowhere": (SIGNED.format(more=', signed: "{id}{body}"'), "{}", "`signed` holds {id}"),
    "parts without the signature": (SIGNED.format(more=", parts: {timestamp: t}"), "{}", "the `signature`"),
    "an end that names nobody": (SIGNED.format(more=""), "{record: null, deleted: {a: b}}", "`deleted` needs `key`"),
}  # fmt: skip


@pytest.mark.parametrize(("http", "webhook", "what"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, http: str, webhook: str, what: str) -> None:
    path = tmp_path / "shop.yml"
    path.write_text(FILE.format(http=http, webhook=webhook))
    with pytest.raises(MappingError) as error:
        load_system(path)
    assert what in str(error.value)
    assert "shop.yml:" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_signature_said_once_holds_for_all_streams(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text(FILE.format(http=SIGNED.format(more=""), webhook="{}"))
    system = load_system(path)
    assert system.http.signature is not None
    assert system.streams["people"].webhook is not None
