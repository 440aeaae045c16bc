"""A stranger's text, made fit for databases, terminals and pages."""

from hypothesis import example, given
from hypothesis import strategies as st

from services.core.text import MARK_CHARACTERS, shortened, tidy

ANY = st.text(st.characters(), max_size=300)  # lone surrogates, null bytes and controls included


@given(text=ANY, where=ANY, limit=st.integers(MARK_CHARACTERS, 200))
@example(text="a\0b\ud800\x1b]0;title\x07\u202egnp.exe", where="\ud800", limit=100)
def test_tidy_text_is_bounded_encodes_and_stays_as_it_is(text: str, where: str, limit: int) -> None:
    found = tidy(text, where=where, limit=limit)
    assert len(found) <= len(where) + limit
    assert "\0" not in found.encode().decode()
    assert all(
        character.isprintable() or character in "\n\t \N{NO-BREAK SPACE}" or character.isspace() for character in found
    )
    assert tidy(found, limit=len(found)) == found


@given(text=st.text("ab", min_size=101, max_size=500))
def test_head_and_tail_of_a_long_text_stay(text: str) -> None:
    found = shortened(text, 100)
    assert found.startswith(text[:20]) and found.endswith(text[-20:])
    assert f"[{len(text) - 40} characters omitted]" in found


def test_where_is_never_cut_and_colours_vanish() -> None:
    found = tidy("\x1b[0;31mValueError\x1b[0m: why\r\n" + "x" * 10_000 + "end", where="Cell 25:\n", limit=160)
    assert found.startswith("Cell 25:\nValueError: why\n")
    assert found.endswith("end")
