"""The wheel holds all that the hub reads at run time, and runs where the checkout is not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(HOUSE)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize(
    "name",
    [
        "mappings/sources/crm/hubspot.yml",
        "mappings/sources/billing/stripe.yml",
        "mappings/sources/support/zendesk.yml",
        "mappings/sources/web_analytics/matomo.yml",
        "mappings/rules/company.yml",
        "mappings/rules/identity/nicknames.yml",
        "mappings/mapping.schema.json",
        "mappings/rules/access.yml",
        "hub/api/schema.graphql",
        "hub/api/released.graphql",
        "hub/api/static/icon.svg",
        "hub/api/examples/customer_360.graphql",
        "hub/store/migrations/env.py",
        "connectors/sandbox/server.py",
    ],
)
def test_the_wheel_ships(wheel: Path, name: str) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_ships_graphiql(wheel: Path) -> None:
    shipped = [n for n in zipfile.ZipFile(wheel).namelist() if n.startswith("hub/api/static/")]
    assert {Path(n).suffix for n in shipped} >= {".js", ".css"}


def test_the_installed_wheel_runs_the_demo_elsewhere(wheel: Path, tmp_path: Path) -> None:
    """The wheel is unpacked away from the checkout; only the libraries are the ones already installed."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HUB_")} | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "hub.cli", "demo", "--once", "--customers", "20"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Most at stake" in done.stdout
    assert (tmp_path / "demo.db").exists()
