"""Special data that agents wrote into notes: what the record says of them stands in slice, drafts and register."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from breach.test_drafts import AGENT, NAME, facts, line, pages, sliced, told
from rights.town import night_fixture
from sluice.breach.describe import describe
from sluice.breach.make import slice_exchange
from sluice.breach.model import UNNAMED, Draft, Line, Risk, Slice
from sluice.breach.page import drafts_of, make_draft
from sluice.breach.rules import is_unnamed_special, lines_of
from sluice.breach.write import text_of
from sluice.documents.words import LANGUAGES, words
from sluice.exchange.read import ExchangeLine
from sluice.ledger.record import ExchangeRecord, Screening
from sluice.registers.make import make_register
from sluice.registers.model import Article, Finding, FindingCode, Register
from sluice.registers.tables import finding_text, tables_of
from sluice.terms import RoleProfile
from support.night import Call, Night

NOTES = "note_free_text"
SAID = "Klant is moslim en lid van de vakbond"
CLEAN = "wil een offerte"
NOW = datetime.now(UTC)


night = night_fixture(id)
CALL = count()


def called(night: Night, note: str) -> ExchangeLine:
    """Two calls; the agent's note of one of them is this text."""
    people = night.people(2)
    calls = [Call(f"c{next(CALL)}", *person, note=said) for person, said in zip(people, (note, CLEAN), strict=True)]
    return night.desk.line(night.called(*calls))


def drafts(found: Slice, language: str) -> dict[Draft, str]:
    """The text of each kind of draft; of those for persons that for customers."""
    made = [(draft, part) for draft, part in drafts_of(found) if draft is not Draft.PERSONS or part]
    return {draft: text_of(make_draft(found, draft, part, language)) for draft, part in made}


def register_of(night: Night, article: Article = Article.CONTROLLER) -> Register:
    house, now = night.desk.house, datetime.now(UTC)
    return make_register(house.conn, house.settings, article, now.date() + timedelta(days=1), now)


def classes(register: Register) -> dict[str, str]:
    """What the register says of the class of the data, by the group of each row."""
    [table] = [each for each in tables_of(register, "en") if each.name == "register"]
    number, category = (table.keys.index(name) for name in ("processingNumber", "gdprDataCategory"))
    return {row[number].rpartition("/")[2]: row[category] for row in table.rows if "P-RESULT" in row[number]}


def undeclared(register: Register) -> list[Finding]:
    return [each for each in register.findings if each.code is FindingCode.SPECIAL_NOT_DECLARED]


def test_a_register_row_of_notes_is_not_ordinary_once_something_was_found_in_them(night: Night) -> None:
    called(night, CLEAN)
    clean = register_of(night)
    assert classes(clean)[NOTES] == "ordinary" and undeclared(clean) == [], "control"

    called(night, SAID)

    register = register_of(night)
    said = classes(register)
    assert said.pop(NOTES) == "special (GDPR Art. 9)"
    assert set(said.values()) == {"ordinary"}, "of the same files nothing else is"
    [finding] = undeclared(register)
    assert (finding.number, finding.what, finding.exchanges) == ("DPA-ENERGY01/P-RESULT/note_free_text", NOTES, 1)
    group = words("en").say("group.note_free_text")
    assert group in finding_text(words("en"), Article.CONTROLLER, finding)
    assert undeclared(register_of(night, Article.PROCESSOR)) == [], "the center decides of its notes"


def test_what_the_screen_found_in_notes_is_named_in_the_slice_and_in_every_draft(night: Night) -> None:
    held = called(night, SAID)

    found = slice_exchange(night.desk.house, held.id, NOW, Risk.HIGH)

    document = describe(found)
    assert document["special_categories"] == document["parts"][0]["special_categories"] == ["belief", "union"]
    for language in LANGUAGES:
        say = words(language).say
        texts = drafts(found, language)
        assert set(texts) == set(Draft)
        for text in texts.values():
            said = text.partition(f"{say('breach.special')}: ")[2].partition("\n")[0]
            assert set(said.split(", ")) == {say("screen.belief"), say("screen.union")}
            assert SAID not in text and "moslim" not in text


def test_a_night_with_clean_notes_has_no_special_data(night: Night) -> None:
    line = called(night, CLEAN)

    found = slice_exchange(night.desk.house, line.id, NOW, Risk.HIGH)

    assert describe(found)["special_categories"] == []
    texts = drafts(found, "en")
    nothing = "Special or criminal data: \N{EN DASH}"
    assert [nothing in texts[draft] for draft in (Draft.CONTROLLER, Draft.AUTHORITY)] == [True, True]
    assert "Special or criminal data" not in texts[Draft.PERSONS], "nobody is told of nothing"


def found_in(night: Night, line: ExchangeLine, **found: int) -> ExchangeRecord:
    """The record of an exchange, had the screen found this in its notes."""
    record = night.record(line)
    screening = record.how.screening
    assert screening is not None
    return record.model_copy(
        update={"how": record.how.model_copy(update={"screening": screening.model_copy(update={"found": found})})}
    )


def test_classes_of_articles_9_and_10_are_special_and_others_are_not(night: Night) -> None:
    """Under whoever decides of the notes, so that a draft of a sender who does not says nothing of them."""
    record = found_in(night, called(night, CLEAN), criminal=1, health=2, insult=1, phone=3)
    assert isinstance(record.how.screening, Screening)

    special = {each for each in lines_of(record, None) if each.is_special}

    assert special == {Line(NOTES, word, "center", "SEED_OWNER", True) for word in ("criminal", "health")}
    bare = record.model_copy(
        update={
            "what": record.what.model_copy(update={"columns": ()}),
            "who": record.who.model_copy(update={"roles": ()}),
        }
    )
    assert {each.controller for each in lines_of(bare, None) if each.is_special} == {"principal"}, "nobody says: told"


def test_what_a_record_calls_special_and_nothing_names_is_said_to_be_so(night: Night) -> None:
    record = night.record(called(night, CLEAN))
    declared = record.model_copy(update={"what": record.what.model_copy(update={"special_categories": True})})
    own = lines_of(record, None)

    assert [is_unnamed_special(each, own) for each in (record, declared)] == [False, True]
    named = lines_of(found_in(night, night.desk.lines()[0], belief=1), None)
    assert not is_unnamed_special(declared, named), "what is named needs no other word"
    found = sliced([NAME, line("disposition", RoleProfile.SEED_OWNER), AGENT])
    part = replace(found.parts[0], is_unnamed_special=True)
    said = {draft: told(facts(page), "special") for draft, page in pages(replace(found, parts=(part,))).items()}
    word = words("en").say("breach.special.unnamed")
    assert part.special == (UNNAMED,)
    assert said == {
        (Draft.CONTROLLER, "energy01"): {word},
        (Draft.AUTHORITY, None): {word},
        (Draft.PERSONS, "energy01"): {word},
        (Draft.PERSONS, None): set(),
    }, "our own staff are not whom it is about"
