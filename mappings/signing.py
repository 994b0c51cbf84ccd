"""What a mapping file may say about how requests are signed: one block a way, every credential a setting."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from mappings.block import Block, Scalar
from mappings.duration import Duration

Algorithm = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]


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


class OAuth2(Block):
    """OAuth 2 (RFC 6749): an access token for the client itself, or out of a refresh token that may be rotated."""

    token_url: str = Field(description="Where tokens are given, below the base URL or on one of `hosts`.")
    client_id: str
    client_secret: str | None = None
    refresh_token: str | None = Field(
        None, description="The first refresh token; a newer one that the system gives is kept, encrypted."
    )
    scope: str | None = None
    client: Literal["basic", "body"] = Field("basic", description="Where the client's id and secret are sent.")
    params: dict[str, Scalar] = Field(default_factory=dict, description="Further parameters of the token's request.")
    send: str = Field("header.Authorization", description="Where requests carry the token, as for a login.")
    prefix: str = Field("Bearer ", description="What stands before the token.")


class Jwt(Block):
    """A signed assertion exchanged for an access token (RFC 7523), as a service account does."""

    token_url: str = Field(description="Where tokens are given, below the base URL or on one of `hosts`.")
    key: str = Field(description="The private key in PEM.")
    algorithm: Literal["RS256", "RS384", "RS512", "ES256", "PS256"] = "RS256"
    key_id: str | None = None
    issuer: str
    subject: str | None = None
    audience: str | None = Field(None, description="The token's address where not said.")
    scope: str | None = Field(None, description="A claim of the assertion.")
    claims: dict[str, Scalar] = Field(default_factory=dict, description="Further claims.")
    lifetime: Duration = "5m"
    params: dict[str, Scalar] = Field(default_factory=dict, description="Further parameters of the token's request.")
    send: str = Field("header.Authorization", description="Where requests carry the token, as for a login.")
    prefix: str = Field("Bearer ", description="What stands before the token.")


class Login(Block):
    """A call that yields a session: a token in its answer, or a cookie."""

    post: str = Field(description="Path below the base URL.")
    json_: Any = Field(None, alias="json", description="The body as JSON.")
    form: dict[str, Scalar] | None = Field(None, description="The body as a form.")
    token: str | None = Field(None, description="Path of the token in the answer (`header.X-Token` for a header).")
    cookie: str | None = Field(None, description="Name of the cookie that the answer sets.")
    send: str = Field(
        "header.Authorization", description="Where requests carry it: `header.X`, `body.a.b` or a query parameter."
    )
    prefix: str = Field("", description="What stands before the token.")
    lifetime: Duration | None = Field(None, description="Log in anew after this long; else when the system refuses.")

    @model_validator(mode="after")
    def _one_yield(self) -> Login:
        if (self.token is None) == (self.cookie is None):
            raise ValueError("say exactly one of token, cookie")
        if self.json_ is not None and self.form is not None:
            raise ValueError("say json or form, not both")
        return self


class Hmac(Block):
    """Each request signed with a shared secret."""

    secret: str
    signed: str = Field(
        description="What is signed, of {method}, {url}, {path}, {query}, {body}, {timestamp}, {nonce}; `\\n` breaks."
    )
    header: str = Field(description="Header that carries the signature.")
    prefix: str = ""
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    timestamp: str | None = Field(None, description="Header that carries the time of signing.")
    timestamp_as: Literal["epoch_s", "epoch_ms", "iso"] = "epoch_s"
    nonce: str | None = Field(None, description="Header that carries a random word, new for each request.")
    key: dict[str, str] = Field(default_factory=dict, description="Further headers that say who signs.")


class Auth(Block):
    """How requests are signed; exactly one way."""

    bearer: str | None = None
    basic: Basic | None = None
    api_key: ApiKey | None = None
    oauth2: OAuth2 | None = None
    jwt: Jwt | None = None
    login: Login | None = None
    hmac: Hmac | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Auth:
        ways = list(type(self).model_fields)
        if sum(getattr(self, way) is not None for way in ways) != 1:
            raise ValueError(f"say exactly one of {', '.join(ways)}")
        return self
