"""The free-text screen against its own vectorised pass: what the exact stage costs on top."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from bench import BenchRow, paired, shown
from sluice.screen.prefilter import find_candidates
from sluice.screen.screen import screen_notes
from sluice.terms import ScreenAction, ScreenClass

SEED = 20_260_901
ACTIONS = dict.fromkeys(ScreenClass, ScreenAction.MASK)
PLAIN = (
    "Klant belt terug volgende week na overleg met partner over aanbod",
    "Client rappelé, offre expliquée, demande un délai de réflexion",
    "Customer asked for the new price list and will decide next month",
    "Voicemail ingesproken, morgen opnieuw proberen in de namiddag",
    "Pas de réponse, message laissé sur le répondeur, à recontacter",
    "Modem vervangen, lijn getest, alles werkt opnieuw zoals het moet",
    "Souhaite recevoir la facture par la poste et non par courriel",
    "Meter reading passed on, no further questions about the invoice",
)
WORDED = (
    "Klant ligt in het ziekenhuis, later bellen over contract nr",
    "Cliente fâchée du délai, demande un geste pour sa facture",
)
"""About one note in thirty holds a listed word."""
NUMBERED = 0.10


def rows(size: int) -> Iterator[BenchRow]:
    """``size`` notes of about 60 characters, one in ten rich in digits and distinct."""
    notes = draw_notes(np.random.default_rng(SEED), size)
    screen_notes(notes.head(1000), ACTIONS)
    found = screen_notes(notes, ACTIONS).findings.height
    whole, floor = paired(lambda: screen_notes(notes, ACTIONS), lambda: find_candidates(notes))
    against = f"vectorised pass alone {shown(size / floor.wall_s)} notes/s; {found:,} findings"
    yield BenchRow("screen", "notes screened", size / whole.wall_s, "notes/s", against)
    yield BenchRow("screen", "notes, wall", whole.wall_s / floor.wall_s, "x", against, goal=3, at_least=False)
    yield BenchRow("screen", "notes, CPU", whole.cpu_s / floor.cpu_s, "x", against)


def draw_notes(rng: np.random.Generator, size: int) -> pl.Series:
    """Notes as agents leave them: mostly plain sentences, some with words, one in ten with numbers."""
    kind = rng.random(size)
    plain = rng.integers(0, len(PLAIN), size)
    serial = rng.integers(1000, 9999, size)
    numbers = rng.integers(0, 10**9, (size, 2))
    return pl.Series("note", [_note(kind[i], int(plain[i]), int(serial[i]), numbers[i]) for i in range(size)])


def _note(kind: float, plain: int, serial: int, numbers: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> str:
    if kind < NUMBERED:
        return _numbered(plain, int(numbers[0]), int(numbers[1]))
    if kind < NUMBERED + 0.03:
        return f"{WORDED[plain % 2]} {serial}"
    return f"{PLAIN[plain]} {serial if plain % 2 else ''}"


def _numbered(shape: int, one: int, two: int) -> str:
    mobile = f"047{one % 10} {two % 100:02d} {one // 10 % 100:02d} {two // 100 % 100:02d}"
    return (
        f"Belt terug op {mobile} na 17u, contract {two:09d} besproken",
        f"Dossier {one:09d}{two % 1000:03d} aangemaakt, klant verwittigd per post",
        f"Meterstand {one % 10**6} op 24/11/2026 10:30, EAN 5414488{one:09d}{two % 100:02d}",
        f"Rappeler au {mobile}, commande {two} en cours de livraison",
        f"Order {one:09d} shipped on 23/11/2026, tracking {two:09d}{one % 1000:03d}",
        f"Betaald met mededeling +++{one % 1000:03d}/{two % 10**4:04d}/{one // 1000 % 10**5:05d}+++ op 12/11",
        f"Facture {one:09d} du 14/11/2026, montant 1.234,56 EUR, relance",
        f"Klantnummer {one:09d}-{two % 100:02d}, afspraak 26/11/2026 tussen 8 en 12",
    )[shape]
