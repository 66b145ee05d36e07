"""Every code of the linter in one table, from which docs/errors.md is generated.

Numbers below 020 mean the same for agreements (``AGR-``) and contracts (``CON-``).
"""

from dataclasses import dataclass

from sluice.terms import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """One rule of the linter: what is wrong, and what to do about it."""

    code: str
    rule: str
    cure: str
    severity: Severity = Severity.ERROR


_SHARED = (
    ("001", "the file cannot be read", "it must exist, be UTF-8 and at most 1 MiB"),
    ("002", "the file is not YAML", "correct the indentation or punctuation at this line"),
    ("003", "a YAML tag is not allowed", "write plain text, numbers, dates, lists and mappings; remove the tag"),
    ("004", "a key stands twice", "keep one of the two; YAML would silently take the last"),
    ("005", "an anchor, alias or merge key is not allowed", "write the value out where it is needed"),
    ("006", "the file is not one mapping of keys", "keep one document with `key: value` lines, nested at most 30 deep"),
    (
        "007",
        "the file is neither an agreement nor a contract",
        "an agreement has `agreementId:`, a contract `kind: DataContract`",
    ),
    ("010", "a key is missing", "add it"),
    ("011", "a key is not known", "correct its spelling or remove it"),
    ("012", "a value has the wrong type", "write the type named here; put words like NO or 1.0 in quotes"),
    ("013", "a word is not in its list", "use one of the words named here"),
    ("014", "a number is out of its range", "use a number in the range named here"),
    ("015", "a value is left OPEN", "fill it in; until then nothing that needs it is accepted"),
    (
        "016",
        "an IRI is not in the closed list",
        "use a DPV 2.3 IRI of the kind named here; docs/how-to/add-a-principal.md lists them",
    ),
    ("017", "a text does not have its form", "write it in the form named here"),
    ("018", "a value cannot be a date or number", "correct the value, or put it in quotes if it is text"),
    (
        "019",
        "YAML reads this number as octal, hexadecimal, binary or base 60",
        "put it in quotes if it is text, or write it without the leading zero or colon",
    ),
)

_NO_PAPERS = (
    "047",
    "a folder has no papers",
    "give a file, or a folder with agreements or contracts (.yaml, .yml) in it or below it",
)

_AGREEMENT = (
    _NO_PAPERS,
    ("009", "this is a contract, not an agreement", "use `sluice contract lint`"),
    ("020", "`supersedes` is not an older version", "name the version this one replaces, or null"),
    ("022", "the same agreement and version stand in two files", "a change is a new version: give one of them its own"),
    ("023", "`validTo` lies before `validFrom`", "correct the dates; both days count"),
    ("026", "the principal is not the folder's", "put the file under principals/<code of parties.controllers[0]>/"),
    ("027", "an enterprise number fails its checksum", "copy it again from the Crossroads Bank for Enterprises"),
    ("028", "a signed version was changed", "restore the file; a change is a new version"),
    ("029", "the agreement id belongs to another principal", "give this agreement its own id"),
    ("030", "a purpose code stands twice", "give every purpose its own code"),
    (
        "031",
        "one DPV purpose stands under two codes with one channel",
        "a consent is kept by DPV purpose and channel: give one of them a narrower IRI, or another channel",
    ),
    (
        "032",
        "an agreement id or a code of retention has small letters",
        "write it in capitals, as named here: who receives lineage events may know no other",
    ),
    ("033", "sensitive data without its condition", "fill `categories` and `art9Condition` (GDPR Art. 9(2))"),
    ("034", "a special category is not declared as sensitive", "set `sensitiveData.present: true` with its condition"),
    ("035", "the file of an OpenPGP key is not beside the agreement", "put the principal's public certificate there"),
    ("040", "a heading of Annex III is missing", "add a line with this code; its text may follow"),
    ("041", "a heading of Annex III stands twice", "merge the two lines"),
    ("050", "a country outside the EEA without a way to transfer", "name the transferBasis, or use an EEA country"),
    ("051", "a transfer basis although transfers are forbidden", "change `transfersOutsideEea`, or the country"),
    ("052", "a general authorisation without notice period", "set `noticeDays` (SCC clause 7.7)"),
    ("053", "a country code does not exist", "use ISO 3166 alpha-2; write NO in quotes"),
    ("054", "returns leave the EEA without a way to transfer", "name the transferBasis of `delivery`"),
    ("070", "a retention code stands twice", "give every retention rule its own code"),
    ("071", "a field group has two role rows in one direction", "keep one row per direction and field group"),
    ("072", "a role row names a retention rule that does not exist", "add the rule to `retentionRules`"),
    ("074", "JOINT without its arrangement", "set `jointArrangementRef` (GDPR Art. 26)"),
    (
        "077",
        "one name stands for two signatures",
        "leave `signOff` null: two people sign in Sluice",
    ),
    (
        "078",
        "a retention rule starts at what has no day here",
        "count it from one of the words named here: it would never end",
    ),
    ("080", "emotion of an agent is inferred", "remove it: prohibited at work (AI Act Art. 5(1)(f))"),
)

_AGREEMENT_WARNINGS = (
    ("021", "the superseded version is not in this folder", "keep signed versions side by side"),
    ("024", "a party signed after the agreement starts", "check the dates of signature"),
    ("025", "the hash of the signed document is a placeholder", "fill in `sha256sum` of the signed PDF"),
    ("036", "a limit is higher than the house allows", "lower it, or raise the setting; until then the house's counts"),
    (
        "037",
        "the agreement ends for good: the last version ends, and none before it comes back",
        "leave `validTo` empty if it goes on; at the end of an agreement its data is given back or deleted",
    ),
    ("042", "headings of Annex III have no text", "describe the measures before signature"),
    ("073", "SEED_OWNER without sign-off or reverse Art. 28 reference", "fill `seedOwner` (EDPB 07/2020)"),
    ("075", "no role row for inbound files", "add rows, or name roleProfile and retentionRule in each contract"),
    ("076", "SEED_OWNER on inbound data", "what the principal supplies is normally PRINCIPAL_CONTROLLER"),
)

_CONTRACT = (
    _NO_PAPERS,
    ("009", "this is an agreement, not a contract", "use `sluice agreement lint`"),
    ("008", "the Open Data Contract Standard does not allow this", "follow ODCS 3.1.0 at this place"),
    ("020", "the id is not <principal>.<direction>.<flow>", "e.g. energy01.inbound.renewal_campaign"),
    ("021", "a property contradicts the id", "make `principal` and `direction` say what the id says"),
    ("022", "the file name contradicts the id", "name the file <flow>.<direction>.odcs.yaml"),
    ("023", "the principal is not the folder's", "put the file under principals/<principal>/"),
    ("024", "the same contract stands in two files", "keep one file per flow and direction"),
    ("025", "the region has no phone numbers", "name the country whose numbers stand there without their country code"),
    ("027", "the agreement is not in this folder", "correct `agreementId`, or add the agreement"),
    ("028", "the agreement has no such version", "correct `agreementVersion`, or add that version"),
    ("030", "the contract does not have exactly one server", "keep the one place where this file is dropped"),
    (
        "031",
        "the location has no file name pattern",
        "end it in a pattern without folders, e.g. s3://bucket/inbound/x/*.csv",
    ),
    ("032", "a return does not say what it is made of", "name contactsFlow, resultsFlow and recordId"),
    ("033", "only a return is made of other flows", "remove it, or make the direction outbound_return"),
    ("034", "a column of a return has no source", "name `source`: contacts.<column> or results.<column>"),
    ("035", "`resultMapping` belongs to agents' results, and to all of them", "name a file of include/mappings"),
    ("036", "the delimiter is not ASCII", "use ; , | or a tab, in the file too"),
    ("037", "a date format cannot be read", "use letters yyyy MM dd HH mm ss in a column, %Y %m %d in the server"),
    (
        "038",
        "a date format lacks the day, the month or the year",
        "dd is the day, MM the month and yyyy the year; mm are minutes. What is no day is a string with a pattern",
    ),
    (
        "039",
        "a date format says one thing twice, or breaks off",
        "each of yyyy MM dd HH mm ss (%Y %m %d %H %M %S) once: MM (%m) is the month, mm (%M) the minute",
    ),
    ("040", "gap: the column has no fieldGroup", "name its group; the column stops every file until then"),
    ("041", "gap: the column has no dataCategory", "name a DPV category; the column stops every file until then"),
    ("042", "gap: the column has no purpose", "name purposeIris; the column stops every file until then"),
    ("043", "gap: the column has no legal basis", "name legalBasis; the column stops every file until then"),
    ("044", "gap: the column has no role", "name roleProfile, or add a role row to the agreement"),
    ("045", "gap: the column has no retention", "name retentionRule, or add it to the agreement's role row"),
    ("046", "gap: the column has no origin", "name dataOrigin; the column stops every file until then"),
    (
        "050",
        "a return names a flow or a column that no contract of this folder has",
        "correct it, or add that contract: such a return would be refused every night",
    ),
    ("052", "the mapping of the results is not there", "correct the name, or add include/mappings/<name>.yaml"),
    (
        "054",
        "cells for yes without the channel that they are for",
        "name `consentChannel` in the same column: until then nobody hears its yes or its no",
    ),
    ("060", "the purpose is not on the agreement", "use a purpose of the agreement, or sign a new version with it"),
    (
        "061",
        "the agreement has this purpose under another basis or holder",
        "use the agreement's own",
    ),
    ("062", "the retention rule is not in the agreement", "use one of `retentionRules`"),
    ("064", "the role differs from the agreement's", "changing a role means a new agreement version"),
    ("065", "emotion of an agent is inferred", "remove the column: prohibited at work (AI Act Art. 5(1)(f))"),
    (
        "066",
        "a special category the agreement does not carry",
        "both need their condition (GDPR Art. 9)",
    ),
    (
        "069",
        "the retention rule starts at what has no day in this direction",
        "name a rule that starts at one of the words named here: this one would never end",
    ),
    ("070", "a column stands twice", "give every column its own name"),
    (
        "071",
        "a relationship that no file can be judged by",
        "in a column: `to: <flow>.inbound.odcs.yaml#/schema/<table>/properties/<column>`, of another inbound flow",
    ),
    (
        "072",
        "the contract does not have exactly one table with columns",
        "describe one file with its columns",
    ),
    ("073", "a relationship to a column that no contract of this folder has", "correct it, or add that contract"),
    ("074", "a column type that a file cannot hold", "use string, date, timestamp, time, number, integer or boolean"),
    (
        "075",
        "datasets refer to each other in a circle",
        "leave one of the relationships out: the first file of each would wait for the other's",
    ),
    (
        "076",
        "contracts of one principal compare its customer numbers in different ways",
        "give `customerIdIgnores` the same words in every contract that has a customer number",
    ),
    (
        "077",
        "customer numbers would compare in another way than in the references that are kept",
        "put `customerIdIgnores` back: another way needs another code of the principal. Where no file was accepted "
        "yet and nobody is kept out, wait until no exchange of it is open",
    ),
    ("080", "a quality id is missing or stands twice", "give every rule its own id; it is shown in receipts"),
    ("081", "a number of a rule is not finite", "give a number, or leave the bound out"),
    ("082", "a rule does not have exactly one comparison", "use one of mustBe, mustBeLessThan, mustBeBetween, ..."),
    ("083", "a threshold is not a number", "give a number, or two for mustBeBetween"),
    ("084", "a rule cannot be judged", "do what its own code says, SLU-431 to SLU-437"),
    ("085", "a suite is not there", "put it into the folder of suites, expectations/, or correct the name"),
    ("086", "a rule names a column that does not exist", "correct the name"),
    ("087", "a rule lacks what it compares with", "invalidValues needs `validValues` or `pattern`"),
    ("088", "a pattern cannot be read", "correct the regular expression (Python syntax)"),
    ("089", "a metric stands at the wrong level", "rowCount belongs to the table, the others to a column"),
    ("090", "an expectation kind is not on the closed list", "use a kind of docs/how-to/add-a-principal.md"),
    (
        "091",
        "an expectation argument is not allowed",
        "write it as named here, or remove it; queries and a row_condition as text run code",
    ),
    ("092", "SQL rules are not run", "express the rule as an expectation"),
    ("094", "a range on a column without numbers or dates", "give the column a logicalType, or check a pattern"),
    ("093", "the rule engine is not known", "use `engine: greatExpectations`"),
    (
        "095",
        "a latency that no file can be judged by",
        "name a date or timestamp column as `element`, a number above 0, and d, h or min (of a date whole days)",
    ),
)

_CONTRACT_WARNINGS = (
    ("029", "a newer agreement version stands in this folder", "issue a contract version for it before it starts"),
    ("026", "no agreement beside this contract", "lint its folder; what needs the agreement is not checked"),
    (
        "051",
        "the location is not the folder of this flow",
        "write the folder named here: files are taken from there whatever it says, and whoever sends them reads it",
    ),
    (
        "055",
        "nothing in the results proves whose record it is",
        "give a column of the results the `subjectKey` of the contacts that is named here: all rows would be held",
    ),
    ("053", "a property of ours where nothing reads it", "move it to the place named here if ours was meant"),
    (
        "063",
        "portable: true although the agreement says false",
        "`portable` can only restrict",
    ),
    ("067", "the data category is not listed in Annex II", "add it to `dataCategories` in the next agreement version"),
    (
        "068",
        "a national number without authorisation named here",
        "set nationalNumberAuthorisation to its reference: the law prohibits the use of the number without one",
    ),
    ("096", "a custom property resembles one of ours", "correct its spelling if that was meant"),
    ("097", "example values in a contract", "remove `examples`: they may be values of persons"),
    (
        "098",
        "a decimal comma in JSON",
        "remove `decimalComma`, unless numbers stand there as text: JSON's have a point",
    ),
    (
        "099",
        "nothing judges this",
        "write it as `required`, `unique` or a quality rule, and the file's own name of a column as `name`",
    ),
)


def _codes(prefix: str, rows: tuple[tuple[str, str, str], ...], severity: Severity) -> dict[str, Code]:
    return {f"{prefix}-{number}": Code(f"{prefix}-{number}", rule, cure, severity) for number, rule, cure in rows}


CODES: dict[str, Code] = {
    **_codes("AGR", _SHARED + _AGREEMENT, Severity.ERROR),
    **_codes("AGR", _AGREEMENT_WARNINGS, Severity.WARNING),
    **_codes("CON", _SHARED + _CONTRACT, Severity.ERROR),
    **_codes("CON", _CONTRACT_WARNINGS, Severity.WARNING),
}
"""Code -> rule, cure, severity, as docs/errors.md lists them."""

GAP_CODES = frozenset({f"CON-{number}" for number in ("015", "040", "041", "042", "043", "044", "045", "046")})
"""Codes that make a column a gap: the contract can be understood, but does not load."""
