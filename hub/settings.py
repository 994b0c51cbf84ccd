"""Settings: everything the hub takes from its environment, read once, with a name and a remedy where it is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mappings.loader import shipped


class SettingError(Exception):
    """An environment variable has a value that cannot be used; the message names it and says what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. `api_key` is a secret and never shown."""

    database_url: str = "sqlite:///hub.db"
    mappings: tuple[Path, ...] = ()
    api_key: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "INFO"
    log_format: str = "console"

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
    return Settings(
        database_url=env.get("HUB_DATABASE_URL", usual.database_url),
        mappings=folders,
        api_key=env.get("HUB_API_KEY") or None,
        host=env.get("HUB_HOST", usual.host),
        port=_port(env.get("HUB_PORT", str(usual.port))),
        log_level=_one_of(env, "HUB_LOG_LEVEL", usual.log_level, ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=_one_of(env, "HUB_LOG_FORMAT", usual.log_format, ("console", "json")),
    )


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingError(f"HUB_PORT: {text!r} is no port; allowed are 1 to 65535")
    return int(text)


def _one_of(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise SettingError(f"{name}: {value!r} is not allowed; choose one of {', '.join(allowed)}")
    return value
