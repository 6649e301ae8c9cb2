"""Page: one file that needs nothing else, and shows no value of what is masked."""

from datetime import UTC, datetime
from html.parser import HTMLParser

from data_ingestion.profiles.facts import ColumnProfile, Profile, Relation
from data_ingestion.profiles.page import page

RELATION = Relation("web", "gold", "gold", "mart_web_events", frozenset())
OPEN = ColumnProfile("action", "text", None, False, 5, 2, "<b>click", "visit & go", (("visit & go", 12),))
MASKED = ColumnProfile("email", "text", "personal", True, 0, 9)
UNSAID = ColumnProfile("label", "text", None, True, 0, 3)
PROFILE = Profile(
    RELATION, "m", 20, None, (OPEN, MASKED, UNSAID), 0.1, datetime(2026, 3, 2, 7, 5, tzinfo=UTC)
)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(told):
    tags = Tags()
    tags.feed(told)
    assert tags.open == []
    return tags.seen


def test_it_needs_neither_script_nor_network():
    told = page("web", [PROFILE])
    for tag, attributes in read(told):
        assert tag not in ("script", "link", "img", "iframe")
        assert not {"src", "onclick"} & attributes.keys()
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in told


def test_values_are_told_as_text_and_never_as_markup():
    told = page("web", [PROFILE])
    assert "&lt;b&gt;click" in told
    assert "visit &amp; go" in told
    assert "<b>" not in told


def test_what_is_masked_says_why_and_shows_counts_alone():
    told = page("web", [PROFILE])
    assert "masked: personal" in told
    assert "masked: not marked public" in told
    assert "20 rows" in told
    assert "5 (25%)" in told


def test_relations_are_collapsed_and_each_link_on_top_leads_into_one():
    seen = read(page("web", [PROFILE]))
    assert [attributes for tag, attributes in seen if tag == "details"] == [{}]
    places = [attributes.get("id") for tag, attributes in seen if tag == "p"]
    assert [attributes["href"] for tag, attributes in seen if tag == "a"] == ["#gold.mart_web_events"]
    assert "gold.mart_web_events" in places


def test_a_sample_is_named_as_such():
    told = page("web", [Profile(RELATION, "m", 5_000_000, 999_123, (OPEN,))])
    assert "a random sample of 999,123 rows" in told
    assert "sample" not in page("web", [PROFILE])


def test_a_domain_without_profiles_has_a_page_that_says_so():
    assert "Nothing was profiled yet" in page("web", [])
