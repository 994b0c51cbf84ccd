"""In: a country's code or common name. Out: its ISO 3166-1 alpha-2 code."""

from __future__ import annotations

import phonenumbers

_ALPHA_2 = frozenset(phonenumbers.SUPPORTED_REGIONS)
CALLING_CODES = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)  # 49 for Germany, 1 for North America …
_OTHER_NAMES = """
AE: ARE, united arab emirates, uae, vereinigte arabische emirate
AR: ARG, argentina, argentinien
AT: AUT, austria, österreich, oesterreich, autriche
AU: AUS, australia, australien
BE: BEL, belgium, belgien, belgië, belgique
BG: BGR, bulgaria, bulgarien
BR: BRA, brazil, brasil, brasilien
CA: CAN, canada, kanada
CH: CHE, switzerland, schweiz, suisse, svizzera
CL: CHL, chile
CN: CHN, china
CO: COL, colombia, kolumbien
CY: CYP, cyprus, zypern
CZ: CZE, czechia, czech republic, tschechien, česko
DE: DEU, germany, deutschland, allemagne, duitsland
DK: DNK, denmark, danmark, dänemark
EE: EST, estonia, estland, eesti
EG: EGY, egypt, ägypten
ES: ESP, spain, españa, spanien, espagne
FI: FIN, finland, suomi, finnland
FR: FRA, france, frankreich
GB: GBR, uk, united kingdom, great britain, england, scotland, wales, northern ireland, vereinigtes königreich
GR: GRC, greece, griechenland, hellas
HK: HKG, hong kong
HR: HRV, croatia, kroatien, hrvatska
HU: HUN, hungary, ungarn, magyarország
ID: IDN, indonesia, indonesien
IE: IRL, ireland, irland, éire
IL: ISR, israel
IN: IND, india, indien
IS: ISL, iceland, island, ísland
IT: ITA, italy, italia, italien
JP: JPN, japan
KR: KOR, south korea, korea, südkorea
KW: KWT, kuwait
LI: LIE, liechtenstein
LT: LTU, lithuania, litauen, lietuva
LU: LUX, luxembourg, luxemburg
LV: LVA, latvia, lettland, latvija
MT: MLT, malta
MX: MEX, mexico, méxico, mexiko
MY: MYS, malaysia
NL: NLD, netherlands, the netherlands, nederland, niederlande, holland
NO: NOR, norway, norge, norwegen
NZ: NZL, new zealand, neuseeland
PH: PHL, philippines, philippinen
PL: POL, poland, polska, polen
PT: PRT, portugal
RO: ROU, romania, românia, rumänien
RS: SRB, serbia, serbien
RU: RUS, russia, russland, russian federation
SA: SAU, saudi arabia, saudi-arabien
SE: SWE, sweden, sverige, schweden
SG: SGP, singapore, singapur
SI: SVN, slovenia, slowenien, slovenija
SK: SVK, slovakia, slowakei, slovensko
TH: THA, thailand
TR: TUR, turkey, türkiye, türkei
TW: TWN, taiwan
UA: UKR, ukraine
US: USA, u.s., u.s.a., united states, united states of america, vereinigte staaten
VN: VNM, vietnam
ZA: ZAF, south africa, südafrika
"""
_BY_NAME = {
    name.strip().casefold(): line[:2] for line in _OTHER_NAMES.strip().splitlines() for name in line[3:].split(",")
}


def country_code(said: str) -> str | None:
    """The alpha-2 code of a code (alpha-2, alpha-3) or of a common name in English, German or its own language."""
    code = said.strip().upper()
    if code in _ALPHA_2:
        return code
    return _BY_NAME.get(said.strip().casefold())
