"""What is drawn of lineage: columns, the own way, where roles flip, and what is drawn together when there is much."""

import random

import pytest

from documents.return_samples import a_return, some_results
from documents.samples import EXCHANGE, a_record
from sluice.ledger.record import ExchangeRecord, InputLine
from sluice.lineage.collapse import MOST, collapsed
from sluice.lineage.drawing import Column, Drawing, Fate, draw
from sluice.lineage.graph import GIVEN
from sluice.lineage.layout import HEIGHT, WIDTH, _coordinates, lay_out
from sluice.terms import Decision, Direction

OTHER, RETURN, RESULT = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 3))


def a_night() -> list[ExchangeRecord]:
    """Two files of contacts and results of agents that one return is made of, and a refused file."""
    came = a_record()
    beside = a_record(Decision.ACCEPTED, exchange_id=OTHER, rows=(10, 10, 0), reasons=())
    results = some_results().model_copy(update={"exchange_id": RESULT})
    parts = tuple(
        InputLine(exchange_id=each, kind=kind, bucket="lake", key=f"{each}.parquet", version_id="v", sha256="ab" * 32)
        for each, kind in ((EXCHANGE, "contacts"), (OTHER, "contacts"), (RESULT, "results"))
    )
    back = a_return(inputs=parts)
    refused = a_record(Decision.REFUSED, exchange_id=RETURN.replace("2", "4"), rows=(0, 0, 0))
    return [came, beside, results, back.model_copy(update={"exchange_id": RETURN}), refused]


def ends(drawing: Drawing, *, own: bool) -> set[tuple[str, str]]:
    return {
        (arrow.source.partition(":")[0], arrow.target.partition(":")[0])
        for arrow in drawing.arrows
        if arrow.is_own is own
    }


def test_the_way_of_an_exchange_is_what_leads_to_it_and_what_came_of_it_and_nothing_else() -> None:
    drawing = draw(a_night(), [EXCHANGE])
    own = {box.id for box in drawing.boxes if box.is_own}

    assert {f"file:{EXCHANGE}", f"lake:{EXCHANGE}", f"exchange:{RETURN}", f"sent:{RETURN}", "to:energy01"} <= own
    assert not own & {f"exchange:{OTHER}", f"lake:{RESULT}", f"file:{OTHER}"}
    assert ("lake", "exchange") in ends(drawing, own=True) & ends(drawing, own=False), "the other parts are drawn thin"
    assert [box.id for box in drawing.boxes if box.is_start] == [f"exchange:{EXCHANGE}"]


def test_of_a_return_everything_it_is_made_of_is_own() -> None:
    drawing = draw(a_night()[:4], [RETURN])
    assert all(box.is_own for box in drawing.boxes if not box.id.startswith("quarantine:"))


def test_an_answer_that_was_made_of_a_return_stands_behind_it() -> None:
    night = a_night()
    answer = a_sent("handed.kept")
    source = InputLine(
        exchange_id=RETURN, kind="return", bucket="lake", key=f"{RETURN}.csv", version_id="v", sha256="ab" * 32
    )
    what = answer.what.model_copy(update={"inputs": (source,)})
    answer = answer.model_copy(update={"exchange_id": RETURN.replace("2", "5"), "what": what})
    for start in (RETURN, answer.exchange_id):
        drawing = draw([*night, answer], [start])
        [arrow] = [each for each in drawing.arrows if each.target == f"exchange:{answer.exchange_id}"]
        assert arrow.source == f"sent:{RETURN}" and arrow.is_own, start


def test_roles_flip_once_on_the_way_to_the_principal() -> None:
    flips = [arrow for arrow in draw(a_night(), [EXCHANGE]).arrows if arrow.flips]
    assert [(arrow.source, arrow.target) for arrow in flips] == [(f"sent:{RETURN}", "to:energy01")]

    came = draw([a_record()], [EXCHANGE])
    assert not any(arrow.flips for arrow in came.arrows), "what came in only has no flip"


def test_a_copy_that_a_person_was_erased_from_is_told_from_one_that_still_may_hold_them() -> None:
    there = frozenset({(EXCHANGE, "lake"), (EXCHANGE, "arrived"), (EXCHANGE, "quarantine.rows"), (OTHER, "lake")})
    fate = Fate(there=there, cleared=frozenset({(EXCHANGE, "lake"), (EXCHANGE, "arrived")}))
    boxes = {box.id: box for box in draw(a_night(), [EXCHANGE], fate).boxes}
    cleared = {name for name, box in boxes.items() if box.cleared}
    assert cleared == {f"file:{EXCHANGE}", f"lake:{EXCHANGE}"}, "what came later, and what was kept, is not"
    assert not any(box.gone for box in boxes.values())

    half = Fate(
        there=frozenset({(RETURN, "return"), (RETURN, GIVEN["return"])}), cleared=frozenset({(RETURN, "return")})
    )
    assert not any(box.cleared for box in draw(a_night(), [EXCHANGE], half).boxes), "one of both is left"


def test_what_was_removed_and_what_was_not_delivered_yet_shows() -> None:
    fate = Fate(gone=frozenset({(EXCHANGE, "lake"), (EXCHANGE, "arrived")}), waiting=frozenset({RETURN}))
    drawing = draw(a_night(), [EXCHANGE], fate)
    boxes = {box.id: box for box in drawing.boxes}

    assert boxes[f"lake:{EXCHANGE}"].gone and boxes[f"file:{EXCHANGE}"].gone and not boxes[f"lake:{OTHER}"].gone
    assert "to:energy01" not in boxes and "to:energy01" in {box.id for box in draw(a_night(), [EXCHANGE]).boxes}


@pytest.mark.parametrize(("kept", "given"), GIVEN.items())
def test_a_file_that_went_out_is_removed_once_no_copy_of_it_is_left(kept: str, given: str) -> None:
    record = a_sent(kept)
    both = frozenset({(RETURN, kept), (RETURN, given)})
    fates = {
        "nothing was removed": (Fate(there=both), False),
        "the kept one was, its receiver has it": (
            Fate(frozenset({(RETURN, kept)}), frozenset({(RETURN, given)})),
            False,
        ),
        "both were": (Fate(both), True),
        "it was removed before anybody got it": (Fate(frozenset({(RETURN, kept)})), True),
    }
    for what, (fate, is_gone) in fates.items():
        [box] = [box for box in draw([record], [RETURN], fate).boxes if box.column is Column.SENT]
        assert box.gone is is_gone, (kept, what)


def a_sent(kept: str) -> ExchangeRecord:
    """A return, a dial list or an answer to a controller, by the kind of its kept copy."""
    record = a_return().model_copy(update={"exchange_id": RETURN})
    direction = {"dial.kept": Direction.INTERNAL, "handed.kept": Direction.PORTABILITY_ACCESS}.get(
        kept, record.direction
    )
    key = "energy01/dial/renewal_campaign/list.csv" if kept == "dial.kept" else record.what.key
    copies = tuple(copy.model_copy(update={"kind": kept}) for copy in record.how_long.copies if copy.kind == "return")
    return record.model_copy(
        update={
            "direction": direction,
            "what": record.what.model_copy(update={"key": key}),
            "how_long": record.how_long.model_copy(update={"copies": copies}),
        }
    )


def test_the_order_in_which_records_are_read_changes_nothing() -> None:
    drawing = draw(a_night(), [EXCHANGE])
    for seed in range(5):
        mixed = random.Random(seed).sample(a_night(), 5)
        assert draw(mixed, [EXCHANGE]) == drawing and lay_out(draw(mixed, [EXCHANGE])) == lay_out(drawing)


def test_columns_stand_from_left_to_right_and_no_box_on_another() -> None:
    drawing = draw(a_night(), [EXCHANGE])
    layout = lay_out(drawing)
    middles = {column: {layout.boxes[box.id][0] for box in drawing.boxes if box.column is column} for column in Column}

    assert all(len(each) == 1 for each in middles.values()), "a column is one line"
    assert [min(middles[column]) for column in Column] == sorted(min(middles[column]) for column in Column)
    for one in drawing.boxes:
        for other in drawing.boxes:
            (x, y), (x2, y2) = layout.boxes[one.id], layout.boxes[other.id]
            assert one == other or abs(x - x2) >= WIDTH or abs(y - y2) >= HEIGHT
    assert min(y for _, y in layout.boxes.values()) - HEIGHT / 2 >= 0 and layout.arrows.keys() == {
        (arrow.source, arrow.target) for arrow in drawing.arrows
    }


def test_drawings_of_one_shape_are_laid_out_once_and_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, third = (draw([record], [record.exchange_id]) for record in (*many(3)[1:], a_record()))
    _coordinates.cache_clear()
    first = lay_out(one)
    monkeypatch.setattr("sluice.lineage.layout.subprocess.run", None)  # whoever asks again fails
    second = lay_out(other)
    assert [*first.boxes.values()] == [*second.boxes.values()] and [*first.boxes] != [*second.boxes]
    with pytest.raises(TypeError):
        lay_out(third)


def many(count: int) -> list[ExchangeRecord]:
    """Files of one principal, every tenth of them refused."""
    return [
        a_record(
            Decision.ACCEPTED if number % 10 else Decision.REFUSED,
            exchange_id=f"{number:08}-0000-4000-8000-000000000000", rows=(10, 10, 0) if number % 10 else (0, 0, 0),
            reasons=(),
        )
        for number in range(count)
    ]  # fmt: skip


def test_what_is_alike_is_drawn_together_when_there_is_too_much() -> None:
    records = [*a_night(), *many(1000)]
    whole = draw(records, [EXCHANGE])
    small = collapsed(whole)

    assert len(whole.boxes) > 2_000 and len(small.boxes) <= MOST
    assert sum(box.count for box in small.boxes) == len(whole.boxes), "nobody is lost"
    assert sum(box.rows or 0 for box in small.boxes) == sum(box.rows or 0 for box in whole.boxes)
    assert [box.id for box in small.boxes if box.is_start] == [f"exchange:{EXCHANGE}"]
    assert {box.decision for box in small.boxes if box.column is Column.EXCHANGE} == {
        "accepted", "refused", "partly_accepted",
    }  # fmt: skip
    assert {end for arrow in small.arrows for end in (arrow.source, arrow.target)} <= {box.id for box in small.boxes}
    few = draw(a_night(), [EXCHANGE])
    assert collapsed(few) is few


def test_the_exchanges_of_two_hundred_principals_are_few_boxes_too() -> None:
    records = [
        record.model_copy(update={"who": record.who.model_copy(update={"principal": name, "sender": name})})
        for number, record in enumerate(many(600))
        for name in [f"past{number % 200}"]
    ]
    start = records[7].exchange_id
    for starts in ([start], [record.exchange_id for record in records]):
        whole = draw(records, starts)
        small = collapsed(whole)
        assert len(small.boxes) <= MOST and sum(box.count for box in small.boxes) == len(whole.boxes)
        assert {box.party for box in small.boxes if box.count > 200} == {""}, "of nobody alone"
        assert [box.exchange for box in small.boxes if box.is_start] == starts[:1] * (len(starts) == 1)
    assert len(lay_out(small).boxes) == len(small.boxes)


def test_a_thousand_exchanges_without_a_start_are_few_boxes_too() -> None:
    records = many(1000)
    assert len(collapsed(draw(records, [record.exchange_id for record in records])).boxes) <= MOST
