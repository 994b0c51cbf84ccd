"""What a mapping file may say about how to fetch: address, body, pages, changes only, children, deletions, limits.

Where a value goes in a request is a *place*: `name` is a query parameter, `header.Name` a header, `body.a.0.b` a member
of the body. Where a value stands in an answer is a path, or `header.Name`. Texts of a request may hold placeholders:
{since} and {until} (the changes asked for), {last.PATH} (of the last record), {parent.PATH} (of the parent record).
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from mappings.block import Block, Scalar, When
from mappings.duration import Duration, Rate
from mappings.notices import Signature
from mappings.signing import Auth

PLACEHOLDER = re.compile(r"\{(since|until|last\.[^{}\s]+|parent\.[^{}\s]+)\}")
WAYS = ("page", "offset", "cursor", "after", "next", "link", "keyset")


class Pages(Block):
    """How pages follow each other. Exactly one of page, offset, cursor, after, next, link, keyset says which way."""

    page: str | None = Field(None, description="Place that takes the page's number.")
    offset: str | None = Field(None, description="Place that takes the count of records to skip.")
    start: int | None = Field(None, description="Number of the first page (1), or of the first record (0).")
    cursor: str | None = Field(None, description="Place that takes the cursor which the answer holds at `value`.")
    after: str | None = Field(None, description="Place that takes the last record's id, at `value` (`last.id`).")
    next: str | None = Field(None, description="Path of the next page's URL, absolute or relative.")
    link: str | None = Field(None, description="Relation in the Link header that is the next page's URL, as `next`.")
    keyset: list[str] | None = Field(
        None, description="Paths in the last record that the list is sorted by; `then` asks for what comes after them."
    )
    then: dict[str, Scalar] | None = Field(
        None, description="Place to value, from the second page on; may say {last.PATH}."
    )
    value: str | None = Field(None, description="Path of the cursor in the answer, or in its last record (`last.id`).")
    while_: str | None = Field(None, alias="while", description="Path that is true while there are more pages.")
    until: str | None = Field(None, description="Path that is true on the last page.")
    total_pages: str | None = Field(None, description="Path of the count of all pages; goes with `page`.")
    total: str | None = Field(None, description="Path of the count of all records; goes with `page` and `offset`.")
    size: dict[str, int] | None = Field(None, description="Place that asks for the page size, and the size.")
    ends_with: list[int] | None = Field(
        None, description="Statuses that mean past the last page; 404 where pages are counted."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Pages:
        said = [n for n in WAYS if getattr(self, n) is not None]
        if len(said) != 1:
            raise ValueError(f"say exactly one of {', '.join(WAYS)}")
        if said[0] in ("cursor", "after") and self.value is None:
            raise ValueError(f"`{said[0]}` needs `value`: where the answer holds it")
        if (said[0] == "keyset") != (self.then is not None):
            raise ValueError("`keyset` and `then` go together: the one sorts, the other asks for what comes after")
        if self.total_pages is not None and self.page is None:
            raise ValueError("`total_pages` goes with `page`")
        if self.total is not None and self.page is None and self.offset is None:
            raise ValueError("`total` goes with `page` or `offset`")
        if self.start is not None and self.page is None and self.offset is None:
            raise ValueError("`start` goes with `page` or `offset`")
        return self


class Since(Block):
    """How to ask for changes only: from the newest `field` seen, by a cursor that the pages keep, or newest first."""

    param: str | None = Field(
        None, description="Place that takes the newest value of `field` seen; or say {since} in a text of the request."
    )
    field: str | None = Field(None, description="Path of the record's own changed-at.")
    as_: str = Field(
        "iso",
        alias="as",
        description="How to write it: iso, date, epoch_s, epoch_ms, epoch_us, or a pattern as %d.%m.%Y %H:%M.",
    )
    zone: str | None = Field(None, description="Time zone of times that name none, as Europe/Berlin; else UTC.")
    from_: str | None = Field(None, alias="from", description="What to begin with the first time, as 2015-01-01.")
    look_back: Duration | None = Field(
        None, description="Ask this much earlier, as 10m or 7d: late records are not lost."
    )
    until: str | None = Field(None, description="Place that takes the window's end; or say {until} in a text.")
    step: Duration | None = Field(None, description="Ask window by window, each as long as this, as 7d; needs `from`.")
    at_most: int | None = Field(
        None, ge=1, description="The system gives only so many records a search: then search anew from the newest seen."
    )
    newest_first: bool = Field(False, description="The list comes newest first: it is read until what is known.")
    keep_cursor: bool = Field(False, description="The last page's cursor is where the next run goes on.")
    first: dict[str, Scalar] | None = Field(None, description="Place to value, in the very first request only.")

    @model_validator(mode="after")
    def _one_way(self) -> Since:
        if self.keep_cursor and (self.param is not None or self.newest_first):
            raise ValueError("`keep_cursor` goes without `param` and `newest_first`")
        if not self.keep_cursor and self.field is None:
            raise ValueError("say `field`, the path of the record's own changed-at, or `keep_cursor: true`")
        if self.newest_first and (self.param is not None or self.step is not None):
            raise ValueError("`newest_first` goes without `param` and `step`: such a list is not asked, it is stopped")
        if self.step is not None and self.from_ is None:
            raise ValueError("`step` needs `from`: where the first window begins")
        return self


class ErrorBody(Block):
    """An answer whose body says what its status does not."""

    when: When
    message: str | None = Field(None, description="Path of what went wrong.")
    means: Literal["error", "retry", "unauthorized", "end"] = Field(
        "error", description="An error; one that may go away; a session that has ended; nothing more to come."
    )


class Body(Block):
    """The body of a request: JSON or a form."""

    json_: Any = Field(None, alias="json", description="Any JSON; its texts may hold settings and placeholders.")
    form: dict[str, Scalar | list[Scalar]] | None = Field(None, description="Form fields; a list repeats its name.")

    @model_validator(mode="after")
    def _one_kind(self) -> Body:
        if (self.json_ is None) == (self.form is None):
            raise ValueError("say exactly one of json, form")
        return self


class Csv(Block):
    """How a CSV is written; its first line names the columns unless `names` does."""

    separator: str = Field(",", min_length=1, max_length=1)
    names: list[str] | None = None
    encoding: str = "utf-8"


class Parent(Block):
    """One request for each record of another stream: of all at first, then of those that are new or changed."""

    stream: str
    when: When | None = Field(None, description="Only for such parents.")
    again: Duration | None = Field(
        None, description="Ask about all parents anew after this long: children may change where their parent does not."
    )
    keep: dict[str, str] = Field(
        default_factory=dict, description="Name to path in the parent: put into each record under this name."
    )


class Deleted(Block):
    """Records that are gone at the source: by what they say, or because a full reading does not hold them."""

    when: When | None = Field(None, description="A record of which this holds is gone.")
    absent: bool = Field(False, description="A record that a whole reading did not bring is gone.")
    at_most: float = Field(
        0.2, gt=0, le=1, description="Share of the stream that may be missing; where it is more, nothing is deleted."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Deleted:
        if (self.when is None) == (not self.absent):
            raise ValueError("say exactly one of when, absent")
        return self


class LimitHeaders(Block):
    """Headers that say how many requests are left, where they are not the usual X-RateLimit ones."""

    left: str
    reset: str | None = Field(None, description="Seconds until, or the instant when, there are more.")


class Http(Block):
    """How to reach the system, said once; a stream may say most of it otherwise."""

    base_url: str
    hosts: list[str] = Field(
        default_factory=list, description="Other hosts that a token, a next page or a redirect may lead to."
    )
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    params: dict[str, Scalar | list[Scalar]] = Field(
        default_factory=dict, description="Query parameters of every request; a list repeats its name."
    )
    rate: Rate | None = Field(None, description="Requests per time, as 80/s, 600/m or a setting; all streams together.")
    rates: dict[str, Rate] = Field(
        default_factory=dict, description="Path (`*` for any part of it) to a rate of its own, beside `rate`."
    )
    limit_headers: LimitHeaders | None = None
    concurrency: int = Field(4, ge=1, le=64, description="Requests under way at once; all streams together.")
    timeout_s: float = Field(30, gt=0, le=600)
    retry_for: Duration | None = Field(
        None, description="How long a page is asked for again; where not said, six times within five minutes."
    )
    largest_mb: int = Field(64, ge=1, le=1024, description="An answer that is larger is refused.")
    pages: Pages | None = None
    error: ErrorBody | list[ErrorBody] | None = None
    signature: Signature | None = Field(None, description="How the system signs its notifications; see `webhook`.")
