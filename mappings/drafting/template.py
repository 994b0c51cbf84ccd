"""In: a kind of system and a name. Out: a commented mapping file that loads as it stands, to be filled in."""

from __future__ import annotations

_HEAD = """\
# yaml-language-server: $schema={schema}
system: {name}                        # the file is {name}.yml
kind: {kind}
about: What it knows of customers.  # and what it cannot say: whoever reads a report will want to know
docs: https://{name}.example/api          # the vendor's API documentation
verified: documented                  # live | recorded | documented: what you have seen with your own eyes

settings:                             # set by the environment: {variable}_TOKEN, {variable}_BASE_URL
  token: {{secret: true, about: Access token}}
  base_url: {{default: "https://api.{name}.example"}}

http:                                 # said once; a stream may say most of it otherwise
  base_url: ${{base_url}}
  auth: {{bearer: "${{token}}"}}          # or basic, api_key, oauth2, jwt, login, hmac: docs/mapping.md
  rate: 10/s                          # what the vendor allows, or less
  # How pages follow each other. Others: offset, cursor + value, after + value, next, link, keyset.
  pages: {{page: page, size: {{per_page: 100}}}}

streams:
"""

_PEOPLE = """\
  people:
    get: /people                      # the path below base_url
    records: data                     # where the list stands in the answer; leave it out where the answer is the list
    key: id                           # what makes a record this record and no other
    # Only what changed since the last time. Without it every sync reads the whole list; what is as before costs little.
    since: {param: updated_since, field: updated_at}
    profile:                          # who it is; a bare word is a path into the record
      kind: PERSON                    # or ORGANIZATION, or {path: type, table: {p: PERSON, c: ORGANIZATION}}
      given_name: first_name
      family_name: last_name
      emails: [email]
      phones: [{path: phone, region: country}]
      country: country
      updated_at: updated_at
"""

_STREAMS = {
    "crm": _PEOPLE + """\
      memberships:                    # the organizations somebody belongs to
        - organization: {stream: companies, key: company_id}
          role: job_title

  companies:
    get: /companies
    records: data
    key: id
    profile:
      kind: ORGANIZATION
      display_name: name
      country: country

  deals:
    get: /deals
    records: data
    key: id
    belongs_to:                       # the first whose key is found
      - {stream: companies, key: company_id}
      - {stream: people, key: person_id}
    order:
      number: title
      status: {path: status, table: {won: WON, lost: LOST}, default: OPEN}
      placed_at: created_at
      amount: {path: value, major: currency}    # `major`: in euros; `minor`: in cents
      currency: currency
    interaction:                      # the rules go by the type: docs/mapping.md lists those that they know
      type: deal.opened
      at: created_at
      channel: SALES
      lane: BRAND
      object_type: deal
""",
    "billing": _PEOPLE + """\

  invoices:
    get: /invoices
    records: data
    key: id
    belongs_to: {stream: people, key: customer_id}
    # The control: the records' own sum, read apart from the mapping. `hub sync` shows it beside the graph's.
    reconcile: {amount: {path: total, minor: currency}, currency: currency, when: {status: [open, paid]}}
    invoice:
      number: number
      status: {path: status, table: {open: OPEN, paid: PAID, void: VOID}}
      issued_at: issued_at
      due_at: due_at
      amount: {path: total, minor: currency}    # `minor`: in cents; `major`: in euros
      currency: currency
    interaction:                      # the rules go by the type: docs/mapping.md lists those that they know
      type: invoice.issued
      at: issued_at
      channel: BILLING
      lane: BRAND
      object_type: invoice
    money_entry:
      when: {status: [open, paid]}    # drafts and void ones are no money
      kind: REVENUE                   # net of tax where the vendor says it; TAX, REFUND, FEE, COGS are kinds too
      amount: {path: total, minor: currency}
      currency: currency
      at: issued_at
      object_type: invoice
      object_key: id
""",
    "support": _PEOPLE + """\

  tickets:
    get: /tickets
    records: data
    key: id
    since: {param: updated_since, field: updated_at}
    belongs_to: {stream: people, key: requester_id}
    case:
      status: {path: status, table: {open: OPEN, pending: PENDING, solved: CLOSED, closed: CLOSED}}
      opened_at: created_at
      closed_at: solved_at
      priority: priority
      subject: subject
    interaction:                      # the rules go by the type: docs/mapping.md lists those that they know
      - type: case.opened
        at: created_at
        channel: SUPPORT
        lane: CUSTOMER
        direction: INBOUND
        text: {path: description, convert: text}
        object_type: case
      - when: {solved_at: {exists: true}}
        type: case.solved
        at: solved_at
        channel: SUPPORT
        lane: BRAND
        object_type: case
""",
    "web_analytics": """\
  visits:
    get: /visits
    records: data
    key: id
    since: {param: since, field: started_at, as: epoch_s, look_back: 1h}
    profile:                          # a visit carries its visitor
      key: visitor_id
      kind: PERSON
      devices: [visitor_id]           # who is nobody's yet is kept, and follows when they log in
      emails: [user_email]            # where somebody was logged in
    interaction:                      # the rules go by the type: docs/mapping.md lists those that they know
      - type: visit.made
        at: {path: started_at, convert: epoch_s}
        channel: WEB
        lane: CUSTOMER
        direction: INBOUND
        duration_s: duration
        object_type: page
        object_key: {path: landing_url, convert: url_path}
""",
    "feedback": """\
  responses:
    get: /responses
    records: items
    key: id
    since: {param: since, field: submitted_at}
    profile:                          # who answered is known by the address only
      when: {email: {contains: "@"}}
      key: {path: email, convert: email}
      kind: PERSON
      emails: [email]
    survey_answer:
      at: submitted_at
      measure: NPS                    # NPS, CSAT or CES
      raw: score
      scale_min: {const: 0}
      scale_max: {const: 10}
      text: comment
    interaction:
      type: survey.answered
      at: submitted_at
      channel: SURVEY
      lane: CUSTOMER
      direction: INBOUND
      solicited: true
      text: comment
""",
}  # fmt: skip

KINDS = tuple(_STREAMS)


def template_of(kind: str, name: str, schema: str) -> str:
    """The YAML text of a new mapping file; `schema` is the relative path of its editor schema. KeyError for no kind."""
    return _HEAD.format(kind=kind, name=name, schema=schema, variable=name.upper()) + _STREAMS[kind]
