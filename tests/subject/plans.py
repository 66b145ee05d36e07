"""Numbers of the plans around Belgium, and the ways people write them."""

import phonenumbers
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

REGIONS = ("BE", "FR", "NL", "DE", "LU")
TRUNKLESS = ("LU",)
TOLD_APART_BARE = ("BE", "FR")
"""Regions where the country code without + cannot be the start of a national number."""

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def grouped(digits: str, mark: str) -> str:
    return mark.join(digits[start : start + 2] for start in range(0, len(digits), 2))


def spellings(e164: str, region: str) -> list[str]:
    """At least 12 ways to write one number in a file of ``region``."""
    code = str(phonenumbers.country_code_for_region(region))
    nsn = e164.removeprefix(f"+{code}")
    trunk = "" if region in TRUNKLESS else "0"
    national = trunk + nsn
    optional = f"({trunk})" if trunk else ""
    return [
        e164,
        f"+{code} {grouped(nsn, ' ')}",
        f"00{code}{nsn}",
        f"00 {code} {grouped(nsn, '.')}",
        national,
        f"{national[:4]}/{grouped(national[4:], '.')}",
        grouped(national, "-"),
        f"+{code} {optional}{grouped(nsn, ' ')}",
        f"+{code} {trunk}{nsn}",
        f"(+{code}) {grouped(nsn, ' ')}",
        f"tel:+{code}-{grouped(nsn, '-')}",
        f"+{code}\u00a0{grouped(nsn, chr(0x2009))}",
        f"\u202a{grouped(national, chr(0x202F))}\u202c",
        national.translate(ARABIC),
        f"{e164}.0",
        f"{national} ext. 12",
        f"'{national}",
        nsn,
        *([f"{code}{nsn}.0", f"{code}{nsn}"] if region in TOLD_APART_BARE else []),
    ]


@st.composite
def phones(draw: st.DrawFn, region: str | None = None) -> tuple[str, str]:
    """(E.164, region) of a valid number: the library's example with other last digits."""
    chosen = region or draw(st.sampled_from(REGIONS))
    kind = draw(st.sampled_from([PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE]))
    example = phonenumbers.example_number_for_type(chosen, kind)
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    tail = draw(st.text("0123456789", min_size=5, max_size=5))
    number = text[:-5] + tail
    return (number, chosen) if phonenumbers.is_valid_number(phonenumbers.parse(number)) else (text, chosen)
