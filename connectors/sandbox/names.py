"""In: nothing. Out: lists of invented names, streets and words from which people and companies are drawn."""

from __future__ import annotations

GIVEN: dict[str, tuple[str, ...]] = {
    "DE": ("Anna", "Johannes", "Käthe", "Jürgen", "Sabine", "Matthias", "Katharina", "Stefan", "Ursula", "Björn",
           "Friederike", "Thomas", "Margarethe", "Wolfgang", "Leonie", "Maximilian", "Annegret", "Sebastian", "Łukasz",
           "Zeynep", "Michael", "Elisabeth", "Alexander", "Christine", "Andreas", "Heike", "Ulrich", "Franziska"),
    "GB": ("Robert", "Elizabeth", "William", "Margaret", "James", "Katherine", "Edward", "Zoë", "Thomas", "Siobhán",
           "Richard", "Jennifer", "Michael", "Rebecca", "Andrew", "Victoria", "Oliver", "Chloë", "Samuel", "Abigail"),
    "US": ("Robert", "Elizabeth", "Joseph", "Patricia", "Daniel", "Samantha", "Anthony", "Deborah", "Christopher",
           "Susan", "Benjamin", "Jessica", "Nicholas", "Madison", "Timothy", "Alexandra", "José", "Renée"),
    "FR": ("Amélie", "François", "Hélène", "Jean", "Chloé", "Frédéric", "Camille", "Étienne", "Noémie", "Thibault",
           "Aurélie", "Benoît", "Margaux", "Rémi", "Sylvie"),
    "NL": ("Sanne", "Willem", "Johanna", "Pieter", "Anneke", "Søren", "Maaike", "Cornelis", "Femke", "Hendrik",
           "Joëlle"),
    "AT": ("Josef", "Theresia", "Franz", "Rosemarie", "Leopold", "Magdalena", "Alois", "Walpurga", "Rudolf"),
    "CH": ("Urs", "Regula", "Beat", "Lüdia", "Reto", "Ursina", "Jörg", "Annelies", "Gian"),
    "JP": ("Haruto", "Yuki", "Sakura", "Kenji", "Aiko", "Takeshi", "Naoko", "Ryōta", "Emi", "Shōta"),
    "KW": ("Fahad", "Noura", "Abdullah", "Maryam", "Yousef", "Dalal", "Khaled", "Hessa", "Bader"),
}
_DE_STEMS = ("Müll", "Tannhäus", "Weißb", "Königsm", "Grünw", "Lindenau", "Hagedorn", "Brücksch", "Steinf", "Ober",
             "Roten", "Schön", "Kirch", "Wald", "Eich", "Bären", "Kalten", "Hohen", "Lauten", "Silber", "Mühl", "Vogel")
_DE_ENDS = ("er", "mann", "bacher", "berg", "hofer", "meier", "stein", "brand", "huber", "lechner", "wieser", "reuter")
_EN_STEMS = ("Ash", "Brad", "Cal", "Dun", "El", "Fair", "Gar", "Hal", "Kings", "Lang", "Mar", "Nor", "Oak", "Pem",
             "Rad", "Stan", "Thorn", "Wal", "Win", "Yar")
_EN_ENDS = ("ford", "well", "combe", "ley", "worth", "ton", "field", "wick", "by", "stead", "more", "bourne", "thorpe")
_FR_STEMS = ("Beau", "Mont", "Belle", "Clair", "Dela", "Gran", "Lache", "Perri", "Roche", "Saint", "Vill", "Cham")
_FR_ENDS = ("mont", "ville", "vigne", "fort", "chon", "lieu", "court", "nard", "teau", "bré", "çon", "rière")
_NL_STEMS = ("Van der ", "De ", "Van ", "")
_NL_ENDS = ("Meulen", "Waard", "Bruijn", "Kamp", "Berkel", "Dijkstra", "Hoekstra", "Veen", "Molenaar", "Zijlstra",
            "Roos")
_JP_STEMS = ("Yama", "Taka", "Fuji", "Mori", "Kawa", "Ishi", "Naka", "Matsu", "Oka", "Hase")
_JP_ENDS = ("moto", "hashi", "wara", "saki", "guchi", "shima", "zaki", "mura", "da", "gawa")
_KW_STEMS = ("Al-", "")
_KW_ENDS = ("Mutairi", "Rashidi", "Enezi", "Sabahi", "Harbi", "Kandari", "Hajri", "Dosari", "Fadhli", "Shammari")


def _every(stems: tuple[str, ...], ends: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stem + end for stem in stems for end in ends)


FAMILY: dict[str, tuple[str, ...]] = {
    "DE": _every(_DE_STEMS, _DE_ENDS),
    "GB": (*_every(_EN_STEMS, _EN_ENDS), "O'Connagh", "Mac Giolla", "Brontë-Hale"),
    "US": (*_every(_EN_STEMS, _EN_ENDS), "Núñez", "Ibarra", "Kowalczyk", "Nguyen"),
    "FR": _every(_FR_STEMS, _FR_ENDS),
    "NL": _every(_NL_STEMS, _NL_ENDS),
    "AT": _every(_DE_STEMS, _DE_ENDS),
    "CH": (*_every(_DE_STEMS, _DE_ENDS), "Bünzli", "Caviezel", "Zgraggen"),
    "JP": _every(_JP_STEMS, _JP_ENDS),
    "KW": _every(_KW_STEMS, _KW_ENDS),
}
NICKNAMES = {
    "Robert": "Bob", "Elizabeth": "Liz", "William": "Bill", "Margaret": "Peggy", "James": "Jim", "Katherine": "Kate",
    "Edward": "Ted", "Thomas": "Tom", "Richard": "Dick", "Jennifer": "Jenny", "Michael": "Mike", "Rebecca": "Becky",
    "Andrew": "Andy", "Victoria": "Vicky", "Samuel": "Sam", "Joseph": "Joe", "Patricia": "Pat", "Daniel": "Dan",
    "Samantha": "Sam", "Anthony": "Tony", "Deborah": "Debbie", "Christopher": "Chris", "Susan": "Sue",
    "Benjamin": "Ben", "Nicholas": "Nick", "Timothy": "Tim", "Alexandra": "Alex", "Johannes": "Hans",
    "Katharina": "Kathi", "Matthias": "Matze", "Maximilian": "Max", "Sebastian": "Basti", "Alexander": "Alex",
    "Wolfgang": "Wolf", "Margarethe": "Grete", "Ulrich": "Uli", "Franziska": "Franzi", "Elisabeth": "Lisa",
    "Josef": "Sepp", "Franz": "Franzl", "Theresia": "Resi", "Magdalena": "Leni", "Rudolf": "Rudi", "Jean": "Jeannot",
    "Frédéric": "Fred", "Willem": "Wim", "Johanna": "Hanna", "Cornelis": "Kees", "Hendrik": "Henk",
}
COMPANY_STEMS = (
    "Acme", "Bluefin", "Ironbridge", "Nordlicht", "Kestrel", "Quarz", "Linden", "Harbour", "Falke", "Tidal",
    "Juniper", "Copper", "Morgenrot", "Glacier", "Orchard", "Sable", "Zephyr", "Basalt", "Heron", "Cobalt",
)
COMPANY_TRADES = (
    "Software", "Clinics", "Logistik", "Foods", "Werkzeuge", "Energy", "Media", "Labs", "Textil", "Robotics",
    "Bau", "Optics", "Travel", "Chemie", "Druck", "Studios", "Motors", "Papers", "Brewing", "Systems",
)
COMPANY_FORMS = {"DE": "GmbH", "AT": "GmbH", "CH": "AG", "GB": "Ltd", "US": "Inc.", "FR": "SAS", "NL": "B.V.",
                 "JP": "K.K.", "KW": "W.L.L."}
CITIES = {"DE": "Neustadt am See", "AT": "Oberwies", "CH": "Altmatt", "GB": "Ashcombe", "US": "Fairwell",
          "FR": "Beauvigne", "NL": "Waardekom", "JP": "Mizushima", "KW": "Al-Nakhla"}
STREETS = {"DE": "Am Weiher", "AT": "Schulgasse", "CH": "Dorfstrasse", "GB": "Mill Lane", "US": "Orchard Ave",
           "FR": "rue du Moulin", "NL": "Molenweg", "JP": "Sakura-dori", "KW": "Palm Street"}
AGENTS = ("Miriam Falkner", "Tobias Renner", "Grace Holloway", "Idris Bello", "Paula Winter", "Jonas Keller")
_FOLDS = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "é": "e", "è": "e", "ë": "e",
    "ê": "e", "ô": "o", "ō": "o", "î": "i", "ï": "i", "ø": "o", "Ø": "O", "Ł": "L", "ł": "l", "á": "a",
    "ú": "u", "ñ": "n", "ç": "c", "É": "E", "í": "i", "ó": "o", "ā": "a", "à": "a",
})


def folded(name: str) -> str:
    """The name in plain ASCII letters, as people type it into a form that refuses theirs (Müller → Mueller)."""
    return name.translate(_FOLDS)
