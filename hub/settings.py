"""Settings: everything the hub takes from its environment, read once, with a name and a remedy where it is wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mappings.loader import shipped

_SAFE = re.compile(r"https://[^/@]+(/|$)|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")  # or this machine
# 32 bytes in base64, as Fernet keys are written.
_SECRET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
MAKE_KEY = "`python -c 'import os, base64; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'`"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?|https?://\[[0-9a-f:]+\](:[0-9]+)?")


class SettingError(Exception):
    """An environment variable has a value that cannot be used; the message names it and says what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. `api_key` and `secret_key` are secrets and never shown."""

    database_url: str = "sqlite:///hub.db"
    mappings: tuple[Path, ...] = ()
    api_key: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "INFO"
    log_format: str = "console"
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    mode: str = "development"
    documents: tuple[Path, ...] = ()
    cors_origins: tuple[str, ...] = ()
    federation: bool = False
    public_url: str | None = None
    secret_key: tuple[str, ...] = field(default=(), repr=False)

    @property
    def production(self) -> bool:
        """Whether only registered documents run, and nothing helps a stranger to find his way."""
        return self.mode == "production"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where mapping and rule files are looked for: the deployment's own folders before the shipped one."""
        return (*self.mappings, shipped())


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings from HUB_* variables. Raises SettingError where a value cannot be used."""
    env = os.environ if environ is None else environ
    usual = Settings()
    folders = tuple(Path(part) for part in env.get("HUB_MAPPINGS", "").split(os.pathsep) if part)
    for folder in folders:
        if not folder.is_dir():
            raise SettingError(f"HUB_MAPPINGS: no folder {folder}; name folders separated by {os.pathsep!r}")
    issuer, audience = _issuer(env)
    return Settings(
        database_url=env.get("HUB_DATABASE_URL", usual.database_url),
        mappings=folders,
        api_key=env.get("HUB_API_KEY") or None,
        host=env.get("HUB_HOST", usual.host),
        port=_port(env.get("HUB_PORT", str(usual.port))),
        log_level=_one_of(env, "HUB_LOG_LEVEL", usual.log_level, ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=_one_of(env, "HUB_LOG_FORMAT", usual.log_format, ("console", "json")),
        mode=_one_of(env, "HUB_MODE", usual.mode, ("development", "production")),
        documents=_places(env, "HUB_DOCUMENTS"),
        cors_origins=_origins(env),
        public_url=_public(env),
        federation=_one_of(env, "HUB_FEDERATION", "off", ("on", "off")) == "on",
        secret_key=_secret_keys(env),
        oidc_issuer=issuer,
        oidc_audience=audience,
    )


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingError(f"HUB_PORT: {text!r} is no port; allowed are 1 to 65535")
    return int(text)


def _issuer(env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Who issues tokens, and for whom: both or neither. A token meant for somebody else must not open this door."""
    issuer, audience = env.get("HUB_OIDC_ISSUER") or None, env.get("HUB_OIDC_AUDIENCE") or None
    if (issuer is None) != (audience is None):
        missing = "HUB_OIDC_ISSUER" if issuer is None else "HUB_OIDC_AUDIENCE"
        raise SettingError(f"{missing}: is not set; tokens need both HUB_OIDC_ISSUER and HUB_OIDC_AUDIENCE")
    if issuer is not None and not _SAFE.match(issuer):
        raise SettingError(f"HUB_OIDC_ISSUER: {issuer!r} is not safe; write it with https://, as its tokens say it")
    return issuer, audience


def _public(env: Mapping[str, str]) -> str | None:
    """How others reach the server: systems that send notifications sign this address."""
    url = env.get("HUB_PUBLIC_URL") or None
    if url is not None and not _SAFE.match(url):
        raise SettingError(f"HUB_PUBLIC_URL: {url!r} is no address that others use; write it as https://hub.example")
    return url


def _one_of(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise SettingError(f"{name}: {value!r} is not allowed; choose one of {', '.join(allowed)}")
    return value


def _secret_keys(env: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that kept credentials are encrypted under, the newest first; nothing of a wrong one is shown."""
    keys = tuple(key.strip() for key in env.get("HUB_SECRET_KEY", "").split(",") if key.strip())
    for key in keys:
        if not _SECRET_KEY.fullmatch(key):
            raise SettingError(f"HUB_SECRET_KEY: is no key; {MAKE_KEY} makes one; a former key may stand behind it")
    return keys


def _places(env: Mapping[str, str], name: str) -> tuple[Path, ...]:
    places = tuple(Path(part) for part in env.get(name, "").split(os.pathsep) if part)
    for place in places:
        if not place.exists():
            raise SettingError(f"{name}: there is no {place}; name files and folders separated by {os.pathsep!r}")
    return places


def _origins(env: Mapping[str, str]) -> tuple[str, ...]:
    origins = tuple(env.get("HUB_CORS_ORIGINS", "").replace(",", " ").split())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingError(f"HUB_CORS_ORIGINS: {origin!r} is no origin; write each as https://app.example")
    return origins
