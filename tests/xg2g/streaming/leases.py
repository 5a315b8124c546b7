"""Steps that tests of the tuner ledger share."""

from collections.abc import Iterable

from xg2g.streaming.tuner_ledger import Evict, Refuse, Transponder, TunerLedger

ONE, OTHER, THIRD = (0xC00000, 1, 1), (0xC00000, 2, 1), (0xC00000, 3, 1)


def opened(ledger: TunerLedger[str], holder: str, needed: Transponder | None) -> None:
    decision = ledger.request(holder, needed)
    assert not isinstance(decision, Refuse)
    if isinstance(decision, Evict):
        released(ledger, decision.holders)
    ledger.began(holder)


def left(ledger: TunerLedger[str], *holders: str) -> None:
    for holder in holders:
        ledger.lingers(holder)


def released(ledger: TunerLedger[str], holders: Iterable[str]) -> None:
    for holder in holders:
        ledger.release(holder)
