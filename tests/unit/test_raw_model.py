"""The model that the loader is held to is itself held to the one-line meaning, in histories without a database."""

from hypothesis import given, settings
from hypothesis import strategies as st

from data_ingestion.ledger import Fates
from tests.conformance.raw_meaning import Terms, check_laws, meaning, read
from tests.conformance.raw_model import Model, Outcome, Seen

KEYS = st.sampled_from(["t/2026-01/a", "t/2026-01/b", "t/2026-02/a", "t/2026-02/b", "t/2026-03/a"])
LINES = st.tuples(
    st.sampled_from("123"), st.sampled_from(["0", "1", "0", "-1", "x"]), st.sampled_from(["", "a", " a"])
)
CONTENTS = st.lists(LINES, max_size=4).map(tuple)
TIMES = st.integers(0, 6)
TERMS = st.builds(Terms, st.just(False), st.sampled_from([None, None, 0]), st.booleans(), st.booleans())
STEP = st.one_of(
    st.tuples(st.just("deliver"), KEYS, TIMES, CONTENTS),
    st.tuples(st.just("copy"), KEYS, TIMES, KEYS),
    st.tuples(st.just("touch"), KEYS, TIMES, st.none()),
    st.tuples(st.just("load"), KEYS, TIMES, st.booleans()),
    st.tuples(st.just("load all"), KEYS, TIMES, st.none()),
    st.tuples(st.just("withdraw"), KEYS, TIMES, st.none()),
    st.tuples(st.just("undo"), KEYS, TIMES, st.none()),
    st.tuples(st.just("accept"), KEYS, TIMES, st.none()),
    st.tuples(st.just("agree"), KEYS, TIMES, TERMS),
    st.tuples(st.just("rebuild"), KEYS, TIMES, st.none()),
)


class History:
    """A landing and a model that loads it, beside the specification: what is in force, each with its rank."""

    def __init__(self, occurrence):
        self.model, self.terms, self.lying = Model(), Terms(occurrence), {}
        self.spec, self.spec_terms, self.taken, self.versions = {}, {}, {}, 0

    def step(self, action, key, time, what):
        match action:
            case "deliver":
                self._put(key, time, what)
            case "copy" if what in self.lying:
                self._put(key, time, self.lying[what].content)
            case "touch" if key in self.lying:
                self._put(key, time, self.lying[key].content)
            case "load" if key in self.lying:
                self._load(self.lying[key], again=what)
            case "load all":
                self._load_all()
            case "withdraw" if key in self.model.held and self.model.held[key].decision != "rejected":
                assert self.model.withdraw(key, None) == Fates()  # the correction is rejected, nothing else
            case "withdraw" if key in self.model.objects or key in self.lying:
                self._withdraw(key, self.lying.get(key))
            case "undo" if self.model.is_withdrawn(key):
                self.model.undo(key)
            case "accept" if key in self.model.held:
                self.model.accept(key)
            case "agree":
                self.terms = Terms(self.terms.occurrence, what.least, what.trims, what.dated)
            case "rebuild":
                self._rebuild()

    def _put(self, key, time, content):
        self.versions += 1
        self.lying[key] = Seen(key, content, time, self.versions)

    def _load_all(self):
        for seen in [seen for seen in self.lying.values() if self.model.is_due(seen, self.terms)]:
            self._load(seen, again=False)

    def _withdraw(self, key, lying):
        before = len(self.model.raw)
        check_laws(self.model.withdraw(key, lying), before, len(self.model.raw))
        was = self.taken.get(key)
        is_same = was and lying and was[1] == lying.content
        rank = was[0] if is_same else None
        self.taken[key] = self.spec.pop(key, None) or (rank, lying.content)

    def _rebuild(self):
        if self.model.rebuild(self.lying, self.terms):
            for key, (_, content) in self.spec.items():
                if key in self.lying and self.lying[key].content == content:
                    self.spec_terms[content] = self.terms

    def _load(self, seen, *, again):
        before, known = len(self.model.raw), {content for _, content in self.spec.values()}
        outcome = self.model.load(seen, self.terms, again=again)
        if outcome.kind == "held" or self._is_rejected(seen):
            assert len(self.model.raw) == before  # nothing changes until a person accepts it
            assert not self.model.is_due(seen, self.terms)
            return
        if outcome.kind == "failed":
            assert not self.model.objects.get(seen.key) or self.model.is_due(seen, self.terms) or again
            return
        check_laws(outcome.fates, before, len(self.model.raw))
        if self.model.is_withdrawn(seen.key):
            assert (outcome.kind, self.taken[seen.key][1]) == ("known", seen.content)
            return
        self._agree(seen, outcome, known)

    def _is_rejected(self, seen):
        waiting = self.model.held.get(seen.key)
        return waiting and (waiting.content, waiting.decision) == (seen.content, "rejected")

    def _agree(self, seen: Seen, outcome: Outcome, known):
        """What the load means for the specification, said without claims and owners."""
        was, taken = self.spec.get(seen.key), self.taken.pop(seen.key, None)
        delivered = seen.delivered
        if was or (taken and taken[0] and taken[1] == seen.content):
            rank, content = was or taken
            delivered = rank[1] if content == seen.content else max(delivered, rank[1])
        self.spec[seen.key] = (self.terms.period(seen.key), delivered, seen.key), seen.content
        if seen.content not in known or outcome.kind == "replay":
            self.spec_terms[seen.content] = self.terms

    def check(self):
        self.model.check()
        assert self.model.rows == meaning(self.spec, self.spec_terms)


@settings(max_examples=2000, deadline=None)
@given(st.booleans(), st.lists(STEP, max_size=20))
def test_the_incremental_program_agrees_with_the_meaning_of_raw(occurrence, steps):
    history = History(occurrence)
    for step in steps:
        history.step(*step)
        history.check()


def test_an_unchanged_row_changes_its_owner_only():
    model, terms = Model(), Terms()
    january, february = (Seen(f"t/2026-0{month}/a", (("1", "0", "a"),), 0, month) for month in (1, 2))
    model.load(january, terms)
    assert model.load(february, terms).kind == "duplicate"
    corrected = Seen(february.key, (("1", "0", "a"), ("2", "0", "b")), 0, 3)
    assert model.load(corrected, terms).fates == Fates(read=2, unchanged=1, inserted=1)
    assert model.waiting == {((1,), 1): (0, "a")}


def test_a_drop_above_the_limit_changes_nothing_and_a_good_one_closes_its_rows():
    model, terms = Model(), Terms()
    bad = Seen("t/2026-01/a", (("1", "x", ""), ("2", "x", ""), ("3", "1", "")), 0, 1)
    assert model.load(bad, terms).kind == "failed"
    assert (model.raw, sum(model.open_quarantine().values())) == ({}, 2)
    model.load(Seen("t/2026-01/a", (("1", "1", ""),), 0, 2), terms)
    assert not model.open_quarantine()


def test_rows_of_one_content_are_numbered_under_an_occurrence_key():
    content = (("1", "0", "a"), ("1", "5", " a"), ("1", "7", "a"))
    assert list(read(content, Terms(occurrence=True)).claims) == [(1, "a", 1), (1, " a", 1), (1, "a", 2)]
    assert list(read(content, Terms(occurrence=True, trims=True)).claims)[1] == (1, "a", 2)
