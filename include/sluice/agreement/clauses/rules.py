"""Rules between the parts of one agreement. Pure: spots in, findings out."""

from collections.abc import Callable, Iterator

from sluice.agreement import dpv
from sluice.agreement.clauses.facts import DATED_STARTS, EEA_COUNTRIES, SECURITY_HEADINGS, START_EVENTS
from sluice.agreement.clauses.shape import AGREEMENT
from sluice.agreement.document import Document, Found, Spot, check_numbers
from sluice.agreement.shape import check_shape
from sluice.terms import Direction, RoleProfile

EMOTION_WORDS = ("emotion", "sentiment", "mood", "stress")
PLACEHOLDER_HASH = "0" * 64
RETURNS_ABROAD = "054"
NEVER_DATED = "078"
SMALL_LETTERS = "032"


def check_agreement(document: Document) -> Iterator[Found]:
    """Every finding about one agreement on its own."""
    yield from (found for found in check_shape(document.root, AGREEMENT) if found.spot.value not in EMOTION_WORDS)
    yield from check_numbers(document.root)
    for rule in RULES:
        yield from rule(document.root)


def version_key(version: object) -> tuple[int, ...]:
    """A sort key that puts ``3.10.0`` after ``3.9.0``; anything that is no version sorts first."""
    parts = str(version).split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def find_twice(spots: Iterator[Spot] | tuple[Spot, ...]) -> Iterator[Spot]:
    """The spots whose text occurred before."""
    seen: set[str] = set()
    for spot in spots:
        if spot.text in seen:
            yield spot
        if spot.text:
            seen.add(spot.text)


def is_kbo(number: str) -> bool:
    """Whether a Belgian enterprise number has its checksum: 97 minus the first eight digits modulo 97."""
    digits = number.replace(".", "")
    return len(digits) == 10 and digits.isdecimal() and 97 - int(digits[:8]) % 97 == int(digits[8:])


def _check_capitals(root: Spot) -> Iterator[Found]:
    """Find names that lineage events could not carry: their facets (1-0-0) know no small letters in them."""
    for name in (root["agreementId"], *(rule["code"] for rule in root["retentionRules"])):
        if name.text and name.text != name.text.upper():
            yield Found(name, SMALL_LETTERS, name.text.upper())


def _check_dates(root: Spot) -> Iterator[Found]:
    for part in (root, *root["subProcessors"]["list"]):
        start, end = part["validFrom"].day, part["validTo"].day
        if start and end and end < start:
            yield Found(part["validTo"], "023")


def _check_supersedes(root: Spot) -> Iterator[Found]:
    older, version = root["supersedes"], root["version"].text
    if older.text and version and version_key(older.text) >= version_key(version):
        yield Found(older, "020")


def _check_signatures(root: Spot) -> Iterator[Found]:
    start = root["validFrom"].day
    for party in (*root["parties"]["controllers"], *root["parties"]["processors"]):
        signed = party["signedOn"].day
        if start and signed and signed > start:
            yield Found(party["signedOn"], "024")


def _check_hash(root: Spot) -> Iterator[Found]:
    if root["documentSha256"].value == PLACEHOLDER_HASH:
        yield Found(root["documentSha256"], "025")


def _check_enterprises(root: Spot) -> Iterator[Found]:
    parties = root["parties"]
    for party in (*parties["controllers"], *parties["processors"], *root["subProcessors"]["list"]):
        number = party["kbo"].text
        if number and number[0] in "01" and not is_kbo(number):
            yield Found(party["kbo"], "027")


def _check_purposes(root: Spot) -> Iterator[Found]:
    codes = tuple(purpose["code"] for purpose in root["processing"]["purposes"])
    yield from (Found(spot, "030", str(spot.text)) for spot in find_twice(codes))


def _check_shared_consents(root: Spot) -> Iterator[Found]:
    """Consent is asked for each purpose (GDPR Art. 7; recital 32), so a yes to one must not count for another."""
    codes: dict[tuple[str, str], str] = {}
    for purpose in root["processing"]["purposes"]:
        iri, code = purpose["iri"].text, purpose["code"].text
        for channel in purpose["channels"]:
            if iri and code and channel.text and codes.setdefault((iri, channel.text), code) != code:
                yield Found(purpose["iri"], "031", f"{codes[iri, channel.text]} {code} {channel.text}")


def _check_sensitive(root: Spot) -> Iterator[Found]:
    sensitive = root["processing"]["sensitiveData"]
    present = sensitive["present"].value is True
    if present and not (sensitive["categories"].entries and sensitive["art9Condition"].is_given):
        yield Found(sensitive, "033")
    for category in root["processing"]["dataCategories"]:
        if not present and category.text in dpv.SPECIAL_CATEGORIES | dpv.CRIMINAL_CATEGORIES:
            yield Found(category, "034", dpv.short(str(category.text)))


def _check_security(root: Spot) -> Iterator[Found]:
    headings = tuple(heading["code"] for heading in root["security"])
    given = {heading.text for heading in headings}
    for missing in (code for code in SECURITY_HEADINGS if code not in given):
        yield Found(root["security"], "040", missing)
    yield from (Found(spot, "041", str(spot.text)) for spot in find_twice(headings))
    empty = [heading for heading in root["security"] if heading["text"].value == ""]
    if empty:
        yield Found(root["security"], "042", f"{len(empty)} of {len(headings)}")


def _check_transfers(root: Spot) -> Iterator[Found]:
    forbidden = root["duties"]["a_instructions"]["transfersOutsideEea"].value == "forbidden"
    delivery, processors = root["delivery"], root["subProcessors"]["list"]
    places = [(country, each["transferBasis"], "050") for each in processors for country in each["countries"]]
    for country, basis, code in (*places, (delivery["country"], delivery["transferBasis"], RETURNS_ABROAD)):
        if country.text is None or country.text in EEA_COUNTRIES:
            continue
        if country.text not in _countries() and (code == "050" or basis.is_given):
            yield Found(country, "053", country.text)
        elif forbidden and basis.is_given:
            yield Found(basis, "051", country.text)
        elif not basis.is_given:
            yield Found(country, code, country.text)


def _countries() -> frozenset[str]:
    from babel import Locale

    return frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha())


def _check_notice(root: Spot) -> Iterator[Found]:
    processors = root["subProcessors"]
    if processors["authorisation"].value == "general" and not processors["noticeDays"].is_given:
        yield Found(processors["noticeDays"], "052")


def _check_retention(root: Spot) -> Iterator[Found]:
    codes = tuple(rule["code"] for rule in root["retentionRules"])
    yield from (Found(spot, "070", str(spot.text)) for spot in find_twice(codes))
    dated = tuple(start for start in START_EVENTS if any(start in starts for starts in DATED_STARTS.values()))
    for start in (rule["startEvent"] for rule in root["retentionRules"]):
        if start.value in START_EVENTS and start.value not in dated:
            yield Found(start, NEVER_DATED, f"{start.text}; {' '.join(dated)} have one")
    known = {code.text for code in codes}
    for row in root["roleProfiles"]:
        named = row["retentionRule"]
        if named.text and named.text not in known:
            yield Found(named, "072", named.text)


def _check_role_rows(root: Spot) -> Iterator[Found]:
    seen: set[tuple[str | None, str | None]] = set()
    for row in root["roleProfiles"]:
        key = (row["direction"].text, row["fieldGroup"].text)
        if key in seen and all(key):
            yield Found(row, "071", " ".join(str(part) for part in key))
        seen.add(key)
    if not any(direction == Direction.INBOUND for direction, _ in seen):
        yield Found(root["roleProfiles"], "075")


def _check_profiles(root: Spot) -> Iterator[Found]:
    rows = tuple(root["roleProfiles"])
    seeds = [row for row in rows if row["roleProfile"].value == RoleProfile.SEED_OWNER]
    owner = root["seedOwner"]
    if seeds and not (owner["signOff"].is_given and owner["reverseArt28Ref"].is_given):
        yield Found(owner, "073")
    if owner["signOff"].is_given and owner["twoPersonSignOff"].value is True:
        yield Found(owner["signOff"], "077")
    for row in seeds:
        if row["direction"].value == Direction.INBOUND:
            yield Found(row["roleProfile"], "076")
    joint = [row for row in rows if row["roleProfile"].value == RoleProfile.JOINT]
    if joint and not root["jointArrangementRef"].is_given:
        yield Found(joint[0]["roleProfile"], "074")


def _check_emotion(root: Spot) -> Iterator[Found]:
    for row in root["roleProfiles"]:
        if row["fieldGroup"].text in EMOTION_WORDS:
            yield Found(row["fieldGroup"], "080")
    people = {spot.text for spot in root["processing"]["subjectCategories"]}
    for category in root["processing"]["dataCategories"]:
        if dpv.DPV + "Employee" in people and category.text in dpv.EMOTION_CATEGORIES:
            yield Found(category, "080", dpv.short(str(category.text)))


RULES: tuple[Callable[[Spot], Iterator[Found]], ...] = (
    _check_capitals,
    _check_dates,
    _check_supersedes,
    _check_signatures,
    _check_hash,
    _check_enterprises,
    _check_purposes,
    _check_shared_consents,
    _check_sensitive,
    _check_security,
    _check_transfers,
    _check_notice,
    _check_retention,
    _check_role_rows,
    _check_profiles,
    _check_emotion,
)
