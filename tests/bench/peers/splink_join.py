"""Splink's part of bench_identity: blocking, comparisons and training as its documentation recommends, without labels.

In: a neutral file; `febrl3`, `febrl4` (the settings of its own examples for these data sets), `febrl_all` (all that the
data has) or `people`; a file for the partition. Out: that file (place, group), and one JSON line of figures. Runs in an
environment that has splink 5.
"""

import csv
import json
import logging
import resource
import sys
from time import perf_counter

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLD = 0.95
file, kind, out = sys.argv[1:4]
logging.getLogger("splink").setLevel(logging.ERROR)

# Folded as its documentation advises: no accents, no capitals, an empty text is null. A contact that more than twenty
# different names have is taken out, as it is said to do with placeholders. Of several values the first one stays.
PREPARED = """
CREATE TABLE said AS
SELECT source || '/' || key AS unique_id, source,
  lower(strip_accents(nullif(coalesce(nullif(given, ''), regexp_extract(display, '^(\\S+)\\s', 1)), ''))) AS given,
  lower(strip_accents(nullif(coalesce(nullif(family, ''), regexp_extract(display, '\\s(.+)$', 1)), ''))) AS family,
  nullif(birth, '') AS birth, nullif(postcode, '') AS postcode, lower(nullif(city, '')) AS city,
  nullif(regexp_extract(street, '^(\\d+)', 1), '') AS street_number, lower(nullif(street, '')) AS street,
  nullif(regexp_extract(lower(street), '^\\d+ (.*)', 1), '') AS address_1,
  nullif(split_part(emails, '|', 1), '') AS email, nullif(split_part(phones, '|', 1), '') AS phone,
  nullif(split_part(devices, '|', 1), '') AS device,
  CASE WHEN source = 'crm' THEN key ELSE nullif(regexp_extract(ids, 'crm=([^|]+)', 1), '') END AS crm_id,
  CASE WHEN ids NOT LIKE 'crm=%' THEN nullif(regexp_extract(ids, '=([^|]+)', 1), '') END AS other_id
FROM read_csv(?, all_varchar = true, header = true, nullstr = 'no text is this')
"""
CLEANED = """
UPDATE said SET {0} = NULL WHERE {0} IN
  (SELECT {0} FROM said GROUP BY {0} HAVING count(DISTINCT given || ' ' || family) > 20)
"""
con = duckdb.connect()
con.execute(PREPARED, [file]).fetchall()
for contact in ("email", "phone", "device"):
    con.execute(CLEANED.format(contact)).fetchall()
columns = [name for name, *_ in con.execute("DESCRIBE said").fetchall()]
shares = con.execute("SELECT count(COLUMNS(*)) / count(*) FROM said").fetchall()[0]
sources = {name for (name,) in con.execute("SELECT DISTINCT source FROM said").fetchall()}
filled = {name for name, share in zip(columns, shares, strict=True) if share > 0.01}


def there(*rules):
    """The blocking rules whose columns the data has."""
    return [
        rule if isinstance(rule, str) else block_on(*rule)
        for rule in rules
        if isinstance(rule, str) or filled >= set(rule)
    ]


SWAPPED = "l.given = r.family and l.family = r.given"
BIRTH = cl.DateOfBirthComparison("birth", input_is_string=True, datetime_format="%Y-%m-%d", invalid_dates_as_null=True)
if kind == "febrl3":
    blocking = there(("other_id",), ("given",), ("family",), ("birth",), ("postcode",))
    comparisons = {
        "given": cl.NameComparison("given"), "family": cl.NameComparison("family"), "birth": BIRTH,
        "other_id": cl.DamerauLevenshteinAtThresholds("other_id", [2]),
        "street_number": cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        "postcode": cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
    }  # fmt: skip
    certain, recall = there(("other_id",), ("given", "family", "birth"), f"{SWAPPED} and l.birth = r.birth"), 0.9
    training = there(("birth",), ("postcode",))
elif kind == "febrl4":
    blocking = there(
        ("given", "family"), SWAPPED, ("birth",), ("other_id",), ("city", "address_1"),
        ("street_number", "address_1"), ("postcode",),
    )  # fmt: skip
    often = {"term_frequency_adjustments": True}
    comparisons = {
        "given": cl.NameComparison("given").configure(**often),
        "family": cl.NameComparison("family").configure(**often), "birth": BIRTH,
        "other_id": cl.DamerauLevenshteinAtThresholds("other_id", [1, 2]),
        "street_number": cl.ExactMatch("street_number").configure(**often),
        "postcode": cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(**often),
    }  # fmt: skip
    certain, recall = there(("other_id",), ("given", "family", "birth")), 0.8
    training = there(("birth",), ("postcode",))
elif kind == "febrl_all":
    blocking = there(
        ("other_id",), ("given",), ("family",), ("birth",), ("postcode",), ("street_number", "address_1"), ("city",),
        SWAPPED,
    )  # fmt: skip
    often = {"term_frequency_adjustments": True}
    comparisons = {
        "given": cl.NameComparison("given").configure(**often),
        "family": cl.NameComparison("family").configure(**often),
        "birth": cl.DamerauLevenshteinAtThresholds("birth", [1, 2]),
        "other_id": cl.DamerauLevenshteinAtThresholds("other_id", [1, 2]),
        "street_number": cl.ExactMatch("street_number").configure(**often),
        "address_1": cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
        "city": cl.JaroWinklerAtThresholds("city", [0.9, 0.8]),
        "postcode": cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(**often),
    }  # fmt: skip
    certain, recall = there(("other_id",), ("given", "family", "birth")), 0.8
    training = there(("birth",), ("postcode",))
else:
    blocking = there(
        ("email",), ("phone",), ("device",), ("crm_id",), ("other_id",), ("given", "family"), ("family", "birth"),
        ("given", "birth"), ("postcode", "family"), ("postcode", "given"),
    )  # fmt: skip
    comparisons = {
        "given": cl.NameComparison("given").configure(term_frequency_adjustments=True),
        "family": cl.NameComparison("family").configure(term_frequency_adjustments=True), "birth": BIRTH,
        "email": cl.EmailComparison("email").configure(term_frequency_adjustments=True),
        "phone": cl.LevenshteinAtThresholds("phone", [1]).configure(term_frequency_adjustments=True),
        "postcode": cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        "device": cl.ExactMatch("device"), "crm_id": cl.ExactMatch("crm_id"),
        "other_id": cl.DamerauLevenshteinAtThresholds("other_id", [1, 2]),
    }  # fmt: skip
    certain, recall = there(("email", "given"), ("phone", "given"), ("given", "family", "birth"), ("device",)), 0.6
    if not filled & {"email", "phone"}:  # no two records may agree in all: each may have an error
        certain, recall = there(("given", "family"), ("given", "birth"), ("family", "birth")), 0.8
    training = there(("email",), ("given", "family"), ("birth",))

began = perf_counter()
linking = "febrl4a" in sources
settings = SettingsCreator(
    link_type="link_only" if linking else "dedupe_only",
    blocking_rules_to_generate_predictions=blocking,
    comparisons=[comparison for name, comparison in comparisons.items() if name in filled],
)
api = DuckDBAPI(connection=con)
every = con.sql("SELECT * EXCLUDE source FROM said")
two = [con.sql(f"SELECT * EXCLUDE source FROM said WHERE source = '{name}'") for name in sorted(sources)]  # noqa: S608
tables = [api.register(each) for each in two] if linking else api.register(every)
linker = Linker(tables, settings)
linker.training.estimate_probability_two_random_records_match(certain, recall=recall)
linker.training.estimate_u_using_random_sampling(max_pairs=1e6 if kind != "people" else 1e7)
for rule in training:
    linker.training.estimate_parameters_using_expectation_maximisation(rule, estimate_without_term_frequencies=True)
found = linker.inference.predict(threshold_match_probability=0.2)
groups = linker.clustering.cluster_pairwise_predictions_at_threshold(found, threshold_match_probability=THRESHOLD)
rows = groups.query_sql("SELECT unique_id, cluster_id FROM {this}").as_record_list()
seconds = perf_counter() - began
with open(out, "w", newline="", encoding="utf-8") as written:
    csv.writer(written).writerows((row["unique_id"], row["cluster_id"]) for row in rows)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"records": len(rows), "seconds": seconds, "mb": peak}))
