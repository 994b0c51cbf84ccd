"""dupehell's part of bench_identity: a data set as a neutral file.

In: domain, difficulty, size, the file to write. Out: that file. Runs in an environment that has dupehell and pyarrow.
"""

import csv
import sys
import tempfile

import pyarrow.parquet as pq
from dupehell import generate

FIELDS = (
    "source", "key", "entity", "given", "family", "display", "birth", "country",
    "street", "postcode", "city", "kind", "emails", "phones", "devices", "ids",
)  # fmt: skip
ENTITIES = {"crm": "contact", "kyc": "natural_person"}
COLUMNS = {
    "crm": {"given": "first_name", "family": "last_name", "emails": "email", "phones": "phone", "city": "city",
            "country": "country_code"},
    "kyc": {"given": "given_name", "family": "family_name", "birth": "birth_date", "emails": "email_address",
            "phones": "mobile_phone", "street": "residential_address_line1", "city": "residential_city",
            "postcode": "residential_postal_code", "country": "residential_country"},
}  # fmt: skip

domain, difficulty, size, file = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
with tempfile.TemporaryDirectory() as folder:
    made = generate(domain, size, seed=42, difficulty=difficulty, output_dir=folder, only_entity=ENTITIES[domain])
    rows, truth = pq.read_table(made.dataset).to_pylist(), pq.read_table(made.ground_truth).to_pylist()
entity = {row["record_id"]: row["master_id"] for row in truth}
with open(file, "w", newline="", encoding="utf-8") as out:
    writer = csv.writer(out)
    writer.writerow(FIELDS)
    for row in rows:
        said = {field: str(row[column] or "").replace("|", " ") for field, column in COLUMNS[domain].items()}
        said |= {"source": row["source_system"] or domain, "key": row["record_id"], "entity": entity[row["record_id"]]}
        writer.writerow([said.get(field, "") for field in FIELDS])
