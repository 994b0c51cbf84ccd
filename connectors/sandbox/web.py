"""In: the stories. Out: visits in the shape of Matomo's Live.getLastVisitsDetails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from connectors.sandbox import noise
from connectors.sandbox.catalogue import decimal
from connectors.sandbox.crm import CrmBooks
from connectors.sandbox.story import PersonStory
from connectors.sandbox.truth import ProfileRef
from connectors.sandbox.visits import Visit, stray_visits
from connectors.sandbox.window import FIRST

STRAY_SHARE = 0.4  # anonymous visitors for each person
SITE = "https://shop.hub-station.example"
SITES = [
    {
        "idsite": 1,
        "name": "Hub Station",
        "main_url": SITE,
        "ts_created": "2025-01-01 00:00:00",
        "ecommerce": 1,
        "sitesearch": 1,
        "timezone": "UTC",
        "currency": "EUR",
        "type": "website",
        "timezone_name": "UTC",
        "currency_name": "Euro",
    }
]
_DEVICES = (
    ("Desktop", "Windows 11", "Firefox"),
    ("Desktop", "Mac 14.4", "Safari"),
    ("Smartphone", "Android 15", "Chrome"),
    ("Smartphone", "iOS 18.1", "Mobile Safari"),
    ("Tablet", "iOS 17.5", "Mobile Safari"),
)
_REFERRERS = (
    ("direct", "Direct Entry", None, None),
    ("search", "Search Engines", "Google", None),
    ("search", "Search Engines", "DuckDuckGo", None),
    ("website", "Websites", "reviews.example", None),
    ("campaign", "Campaigns", "spring-sale", "spring-sale"),
    ("social", "Social Networks", "Mastodon", None),
)
_LANGUAGES = {"de": "German", "en": "English", "fr": "French", "nl": "Dutch", "ja": "Japanese"}
_PLACES = {
    "DE": ("Germany", "Europe"),
    "GB": ("United Kingdom", "Europe"),
    "US": ("United States", "North America"),
    "FR": ("France", "Europe"),
    "NL": ("Netherlands", "Europe"),
    "AT": ("Austria", "Europe"),
    "CH": ("Switzerland", "Europe"),
    "JP": ("Japan", "Asia"),
    "KW": ("Kuwait", "Asia"),
}

Record = dict[str, Any]


@dataclass(frozen=True)
class Browser:
    """A visitor as the web system sees one: a cookie on a device, and the login it carries once known."""

    visitor: str
    device: tuple[str, str, str]
    ip: str
    login: str | None
    country: str
    language: str
    currency: str


@dataclass
class WebBooks:
    """Visits in order of their end, visitors that are profiles of people, and those nobody can name."""

    streams: dict[str, list[Record]] = field(default_factory=lambda: {"visits": []})
    profiles: dict[str, list[ProfileRef]] = field(default_factory=dict)
    anonymous: list[str] = field(default_factory=list)


def write_web(seed: int, people: Sequence[PersonStory], crm: CrmBooks) -> WebBooks:
    """All visits; a visitor is a person's profile when at least one of its visits is logged in."""
    rng = Random(seed * 31 + 4)
    books = WebBooks()
    paid: list[tuple[int, Visit, Browser]] = []
    for story in people:
        login = _login(rng, story, crm)
        for device in sorted({visit.device for visit in story.visits}):
            visits = [visit for visit in story.visits if visit.device == device]
            known = any(visit.logged_in for visit in visits)
            browser = _browser(rng, story.person.country, story.person.language, story.person.currency, login)
            paid += [(visit.until, visit, browser) for visit in visits]
            if known:
                reference = ProfileRef("matomo", "visitors", browser.visitor)
                books.profiles.setdefault(story.person.id, []).append(reference)
            else:
                books.anonymous.append(browser.visitor)
    for _ in range(round(len(people) * STRAY_SHARE)):
        stranger = _browser(rng, rng.choice(tuple(_PLACES)), "en", "EUR", None)
        books.anonymous.append(stranger.visitor)
        paid += [(visit.until, visit, stranger) for visit in stray_visits(rng)]
    _write_down(rng, books, paid)
    return books


def _write_down(rng: Random, books: WebBooks, paid: list[tuple[int, Visit, Browser]]) -> None:
    seen: dict[str, list[int]] = {}
    for serial, (_, visit, browser) in enumerate(sorted(paid, key=lambda entry: (entry[0], entry[2].visitor)), start=1):
        earlier = seen.setdefault(browser.visitor, [])
        books.streams["visits"].append(_record(rng, serial, visit, browser, earlier))
        earlier.append(visit.at)


def _login(rng: Random, story: PersonStory, crm: CrmBooks) -> str:
    person = story.person
    contact = crm.contact_ids.get(person.index)
    if contact is not None and (person.email_shared or rng.random() < noise.LOGIN_BY_CRM_ID_SHARE):
        return f"crm-{contact}"
    email = person.emails[0]
    return email.title() if rng.random() < noise.CASE_SHARE else email


def _browser(rng: Random, country: str, language: str, currency: str, login: str | None) -> Browser:
    visitor, ip = f"{rng.getrandbits(64):016x}", f"192.0.2.{rng.randint(1, 254)}"
    return Browser(visitor, rng.choice(_DEVICES), ip, login, country, language, currency)


def _record(rng: Random, serial: int, visit: Visit, browser: Browser, earlier: list[int]) -> Record:
    kind, kind_name, referrer, campaign = rng.choice(_REFERRERS)
    device, system, name = browser.device
    until, began = datetime.fromtimestamp(visit.until, UTC), datetime.fromtimestamp(visit.at, UTC)
    details = _actions(serial, visit, browser)
    country, continent = _PLACES[browser.country]
    since_first = visit.at - earlier[0] if earlier else 0
    since_last = visit.at - earlier[-1] if earlier else 0
    goals = int(visit.signed_up)
    return {
        "idSite": 1,
        "idVisit": serial,
        "visitIp": browser.ip,
        "visitorId": browser.visitor,
        "fingerprint": None,
        "actionDetails": details,
        "goalConversions": goals,
        "siteCurrency": "EUR",
        "siteName": "Hub Station",
        "serverDate": until.strftime("%Y-%m-%d"),
        "visitServerHour": str(until.hour),
        "lastActionTimestamp": visit.until,
        "lastActionDateTime": until.strftime("%Y-%m-%d %H:%M:%S"),
        "serverTimestamp": visit.until,
        "firstActionTimestamp": visit.at,
        "serverTimePretty": until.strftime("%H:%M:%S"),
        "serverTimePrettyFirstAction": began.strftime("%H:%M:%S"),
        "userId": browser.login if visit.logged_in else None,
        "visitorType": "returning" if earlier else "new",
        "visitConverted": int(goals > 0 or visit.order is not None),
        "visitCount": len(earlier) + 1,
        "visitEcommerceStatus": "ordered" if visit.order is not None else "none",
        "daysSinceFirstVisit": since_first // 86_400,
        "secondsSinceFirstVisit": since_first,
        "daysSinceLastVisit": since_last // 86_400,
        "secondsSinceLastVisit": since_last,
        "visitDuration": visit.until - visit.at,
        "searches": int(visit.search is not None),
        "actions": len(details),
        "interactions": len(details),
        "events": 0,
        "referrerType": kind,
        "referrerTypeName": kind_name,
        "referrerName": referrer,
        "referrerKeyword": None,
        "referrerUrl": None,
        "campaignName": campaign,
        "languageCode": browser.language,
        "language": _LANGUAGES[browser.language],
        "deviceType": device,
        "operatingSystem": system,
        "browserName": name,
        "continent": continent,
        "country": country,
        "countryCode": browser.country.lower(),
        "region": None,
        "city": None,
        "totalEcommerceConversions": int(visit.order is not None),
        "totalEcommerceRevenue": decimal(visit.order.total, browser.currency) if visit.order is not None else 0,
    }


def _actions(serial: int, visit: Visit, browser: Browser) -> list[Record]:
    at, actions = visit.at, []
    for place, (path, spent) in enumerate(visit.pages, start=1):
        title = path.rpartition("/")[2] or "home"
        actions.append(
            {
                "type": "action",
                "url": f"{SITE}{path}",
                "pageTitle": title,
                "title": title,
                "timestamp": at,
                "timeSpent": spent,
                "pageviewPosition": place,
            }
        )
        at += spent
    last: Record = {"timestamp": visit.until}
    if visit.signed_up:
        actions.append(
            {
                "type": "goal",
                "goalName": "Sign-up",
                "goalId": 1,
                "revenue": 0,
                "url": f"{SITE}/signup/done",
                "title": "Goal conversion",
                "subtitle": "Sign-up",
                **last,
            }
        )
    if visit.search is not None:
        actions.append(
            {
                "type": "search",
                "url": f"{SITE}/search?q={visit.search}",
                "siteSearchKeyword": visit.search,
                "title": visit.search,
                **last,
            }
        )
    if visit.download is not None:
        actions.append({"type": "download", "url": f"{SITE}{visit.download}", "title": visit.download, **last})
    if visit.order is not None:
        revenue = decimal(visit.order.total, browser.currency)
        actions.append(
            {
                "type": "ecommerceOrder",
                "orderId": f"{serial}-{visit.order.at - FIRST}",
                "itemDetails": [],
                "revenue": revenue,
                "items": len(visit.order.lines),
                **last,
            }
        )
    return actions
