"""What a mapping file may say about how to fetch: address, signature, pages, changes only, errors in disguise."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from mappings.block import Block, Scalar, When
from mappings.duration import Duration, Rate


class Pages(Block):
    """How pages follow each other. Exactly one of page, offset, cursor, after, next says which way."""

    page: str | None = Field(None, description="Parameter that takes the page's number.")
    start: int = Field(1, description="Number of the first page.")
    offset: str | None = Field(None, description="Parameter that takes the count of records to skip.")
    cursor: str | None = Field(None, description="Parameter that takes the cursor which the answer holds at `value`.")
    after: str | None = Field(None, description="Parameter that takes the last record's id, at `value` (`last.id`).")
    next: str | None = Field(None, description="Path of the next page's URL, absolute or relative.")
    value: str | None = Field(None, description="Path of the cursor in the answer, or in its last record (`last.id`).")
    while_: str | None = Field(None, alias="while", description="Path that is true while there are more pages.")
    until: str | None = Field(None, description="Path that is true on the last page.")
    total_pages: str | None = Field(None, description="Path of the count of all pages; goes with `page`.")
    total: str | None = Field(None, description="Path of the count of all records; goes with `page` and `offset`.")
    size: dict[str, int] | None = Field(None, description="Parameter that asks for the page size, and the size.")

    @model_validator(mode="after")
    def _one_way(self) -> Pages:
        said = [n for n in ("page", "offset", "cursor", "after", "next") if getattr(self, n) is not None]
        if len(said) != 1:
            raise ValueError("say exactly one of page, offset, cursor, after, next")
        if said[0] in ("cursor", "after") and self.value is None:
            raise ValueError(f"`{said[0]}` needs `value`: where the answer holds it")
        if self.total_pages is not None and self.page is None:
            raise ValueError("`total_pages` goes with `page`")
        if self.total is not None and self.page is None and self.offset is None:
            raise ValueError("`total` goes with `page` or `offset`")
        return self


class Since(Block):
    """How to ask for changes only: by a parameter with the newest `field` seen, or by a cursor that the pages keep."""

    param: str | None = Field(None, description="Parameter that takes the newest value of `field` seen so far.")
    field: str | None = Field(None, description="Path of the record's own changed-at.")
    as_: Literal["epoch_s", "epoch_ms", "iso", "date"] = Field("iso", alias="as", description="How to write it.")
    look_back: Duration | None = Field(
        None, description="Ask this much earlier, as 10m or 7d: late records are not lost."
    )
    keep_cursor: bool = Field(False, description="The last page's cursor is where the next run goes on.")
    first: dict[str, Scalar] | None = Field(None, description="Parameters of the very first request only.")

    @model_validator(mode="after")
    def _one_way(self) -> Since:
        if self.keep_cursor == (self.param is not None):
            raise ValueError("say either `param` with `field`, or `keep_cursor: true`")
        if self.param is not None and self.field is None:
            raise ValueError("`param` needs `field`: the path of the record's own changed-at")
        return self


class Basic(Block):
    """User and password."""

    user: str
    password: str = ""


class ApiKey(Block):
    """A key in a header or in a query parameter; exactly one of the two."""

    header: str | None = None
    query: str | None = None
    value: str

    @model_validator(mode="after")
    def _one_place(self) -> ApiKey:
        if (self.header is None) == (self.query is None):
            raise ValueError("say exactly one of header, query")
        return self


class Auth(Block):
    """How requests are signed; exactly one way."""

    bearer: str | None = None
    basic: Basic | None = None
    api_key: ApiKey | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Auth:
        if sum(way is not None for way in (self.bearer, self.basic, self.api_key)) != 1:
            raise ValueError("say exactly one of bearer, basic, api_key")
        return self


class ErrorBody(Block):
    """An answer that is an error although its status is 200."""

    when: When
    message: str = Field(description="Path of what went wrong.")
    retry: bool = Field(False, description="Whether asking again may help.")


class Http(Block):
    """How to reach the system, said once; a stream may say `pages`, `params` and `headers` otherwise."""

    base_url: str
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    params: dict[str, Scalar] = Field(default_factory=dict, description="Query parameters of every request.")
    rate: Rate | None = Field(None, description="Requests per time, as 80/s, 600/m or a setting; all streams together.")
    concurrency: int = Field(4, ge=1, le=64, description="Requests under way at once; all streams together.")
    timeout_s: float = Field(30, gt=0, le=600)
    pages: Pages | None = None
    error: ErrorBody | None = None
