"""In: an ISO 4217 code. Out: its number of decimals, and amounts written with them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

# ISO 4217:2015 with amendments to 2025; funds, metals and testing codes left out.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
DECIMALS: dict[str, int] = {
    code: count for count, codes in ((0, _NONE), (2, _TWO), (3, _THREE), (4, _FOUR)) for code in codes.split()
}
THOUSANDTHS = 1_000  # of a minor unit in an amount


def decimals(code: str) -> int:
    """How many decimals the currency has (EUR 2, JPY 0, KWD 3). Raises KeyError for a code that is none."""
    return DECIMALS[code]


def render(amount: int, code: str) -> str:
    """An amount in thousandths of the minor unit as a decimal string with the currency's own decimals, half-even."""
    places = DECIMALS[code]
    minor = (Decimal(amount) / THOUSANDTHS).quantize(Decimal(1), ROUND_HALF_EVEN)
    sign, digits = ("-" if minor < 0 else ""), f"{abs(int(minor)):0{places + 1}d}"
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits
