"""An installation that has lived a while: what the pages speak of is there, once, and copied for each of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from answers.test_portability import GOING
from handbook.days import day
from rights.copies.test_candidates import CONTRACT, columns_of
from sluice.settings import Settings
from sluice.terms import Principal
from support.night import AGREEMENT, Call, Edit, change, open_night, with_papers

WE_TELL = Edit(AGREEMENT, "A18: false", "A18: true")
NOTE = "Klant is moslim, liever na vrijdag bellen"
NAMESAKE = ("Zoë", "Van den Bossche", "03/04/1980", "0470999888")


def lived_in(settings: Settings, folder: Path) -> None:
    """Contacts with somebody of a known name; three called and returned; three called since; notes that wait.

    The agreement of telecom01 is over, and nothing of it is left but its keys.
    """
    contract = (settings.principals_dir / "energy01" / CONTRACT).read_text()
    changed = with_papers(settings, folder, *columns_of(contract), *GOING, WE_TELL)
    paper = changed.principals_dir / "telecom01" / "agreement-1.0.0.yaml"
    change(paper, "g_end: {choice: delete", "g_end: {choice: return")
    change(paper, "validTo: null\ndocument", f"validTo: {day(-40)}\ndocument")
    with open_night(changed, folder, known_since=datetime.now(UTC) - timedelta(days=30)) as night:
        night.desk.house.subject_key(Principal("telecom01"))
        header, first, *_ = night.contacts.read_text().splitlines()
        row = dict(zip(header.split(";"), first.split(";"), strict=True))
        for name, value in zip(("first_name", "last_name", "birth_date", "phone"), NAMESAKE, strict=True):
            row[name] = value
        row["customer_number"] = "E00000090"
        night.desk.drop(f"{header}\r\n{';'.join(row.values())}\r\n".encode(), "namesake.csv")
        night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
        night.make()
        night.release(night.returns()[0])
        later = [Call(f"d{n}", *person) for n, person in enumerate(night.people(6)[3:])]
        night.called(*later, name="later.csv")
        notes = [Call(f"e{n}", *person, note=NOTE) for n, person in enumerate(night.people(18)[6:])]
        night.called(*notes, name="notes.csv")
