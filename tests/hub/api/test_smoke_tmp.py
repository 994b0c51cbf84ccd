import json
import pathlib

ASK = [
    ("customer_360", dict(id="cus_0001")),
    ("account", dict(id="cus_0003")),
    ("at_risk", {}),
    ("customers_flat", {}),
    ("customers_page", {}),
    ("explain", dict(id="cus_old")),
    ("find_customer", dict(email=" Mike@Home.example", phone="0151 12345678", stripeId="cus_A", text="mul mik")),
    ("journey", dict(id="cus_0001")),
    ("journey_map", {}),
    ("profitability", {}),
    ("sources", {}),
    ("erase", dict(id="cus_old", dryRun=True)),
]


def test_all(told, example):
    for name, v in ASK:
        a = told.ask(example(name), **v)
        pathlib.Path(f"tests/hub/api/answers/{name}.json").write_text(
            json.dumps(a, ensure_ascii=False, indent=1) + "\n"
        )
