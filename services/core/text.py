"""Makes a stranger's text fit for a database, a terminal and a page.

It needs only the standard library, because it is also staged into sandboxes.
"""

import re
import unicodedata

__all__ = ["MAX_CHARACTERS", "shortened", "tidy"]

MAX_CHARACTERS = 8000
MARK_CHARACTERS = 60  # room for the words that stand for a part left out
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SHOWN_CONTROLS = {"\n", "\t"}
# Controls, direction marks and other invisible characters, lone surrogates, private use, separators of lines.
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def tidy(text: str, *, where: str = "", limit: int = MAX_CHARACTERS) -> str:
    """Return `where` and then the text, cleaned and bounded. It never fails, and tidy text stays as it is.

    A character that no page, terminal or database should get becomes U+FFFD. Of a text longer than `limit` characters,
    head and tail stay. `where` says where the text is from, such as a file and line or a run's number; it is never cut.
    """
    return _cleaned(where) + _cleaned(shortened(text, limit))


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text: all of it, or its head and tail."""
    if len(text) <= limit:
        return text
    half = max(0, limit - MARK_CHARACTERS) // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters omitted]\n{text[len(text) - half :]}"


def _cleaned(text: str) -> str:
    plain = _COLOURS.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character if _is_shown(character) else "\N{REPLACEMENT CHARACTER}" for character in plain)


def _is_shown(character: str) -> bool:
    return character in _SHOWN_CONTROLS or unicodedata.category(character) not in _NOT_SHOWN
