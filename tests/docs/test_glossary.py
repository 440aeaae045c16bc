"""docs/glossary.md can be read by programs: entries are `**term**: sentence`, with all words that pages need."""

import re

from tests.docs.pages import read

NEEDED = {
    "alarm",
    "benchmark",
    "checkpoint",
    "entry",
    "evaluation",
    "final score",
    "flag",
    "forget set",
    "forgetting quality",
    "interval",
    "leaderboard",
    "model",
    "oracle",
    "original model",
    "phase",
    "rescoring",
    "retain set",
    "run",
    "seed",
    "shard",
    "submission",
    "tie group",
    "utility",
}


def entries() -> list[tuple[str, str]]:
    """The terms with their sentences, in order."""
    paragraphs = read("docs/glossary.md").split("\n\n")
    found = [re.fullmatch(r"\*\*([^*]+)\*\*: (.+)", " ".join(text.split())) for text in paragraphs]
    assert sum(text.startswith("**") for text in paragraphs) == sum(match is not None for match in found)
    return [(match[1], match[2]) for match in found if match]


def test_every_needed_word_is_explained_once() -> None:
    terms = [term for term, _ in entries()]
    assert set(terms) >= NEEDED
    assert len(terms) == len(set(terms))


def test_an_entry_is_one_sentence() -> None:
    for term, sentence in entries():
        assert re.fullmatch(r"[A-Z][^.]*(?:\.\w[^.]*)*\.", sentence), f"{term}: {sentence}"


def test_a_rescoring_is_never_called_a_campaign() -> None:
    assert "campaign" not in read("docs/glossary.md").lower()
