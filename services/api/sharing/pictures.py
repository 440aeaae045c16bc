"""The picture beside a link, as PNG, because previews take no SVG: a title, and the first entries of a board."""

import io
from collections.abc import Iterable
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from services.api.sharing.card import Card

__all__ = ["HEIGHT_PX", "WIDTH_PX", "picture_of"]

WIDTH_PX, HEIGHT_PX = 1200, 630
MARGIN_PX = 80
PAPER, INK, SOFT, RIVER, REACH = "#f5f8f8", "#13242b", "#4b5d65", "#0a616d", "#b9d5d8"
TITLE_PX, TITLE_OF_BOARD_PX, TEXT_PX, NAME_PX = 60, 42, 32, 28
ROW_PX = 54
MOST_LINES, MOST_CHARS = 3, 300
UNKNOWN = "\U0010ffff"  # no font has it, so its shape is that of all that a font lacks

Row = tuple[str, float, float, float]  # name, score and the ends of its interval


def picture_of(card: Card) -> bytes:
    """Draw a card."""
    rows = tuple((one["entry"], one["final_score"], one["ci_low"], one["ci_high"]) for one in card.entries)
    return _drawn(card.title, card.below, rows)


@lru_cache(maxsize=64)
def _drawn(title: str, below: str, rows: tuple[Row, ...]) -> bytes:
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), PAPER)
    draw = ImageDraw.Draw(image)
    _draw_mark(draw)
    size_px, most = (TITLE_OF_BOARD_PX, 1) if rows else (TITLE_PX, MOST_LINES)
    y = 170
    for line in _wrapped(draw, readable(title), _font(size_px), most):
        draw.text((MARGIN_PX, y), line, INK, _font(size_px))
        y += size_px + 14
    if rows:
        _draw_rows(draw, rows, y + 30)
    else:
        for line in _wrapped(draw, readable(below), _font(TEXT_PX), MOST_LINES):
            draw.text((MARGIN_PX, y + 24), line, SOFT, _font(TEXT_PX))
            y += TEXT_PX + 12
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()


def _draw_mark(draw: ImageDraw.ImageDraw) -> None:
    for place, colour in enumerate((RIVER, "#6ba0a8", REACH)):
        y = 84 + 18 * place
        for left in (MARGIN_PX, MARGIN_PX + 64):
            draw.arc((left, y - 14, left + 32, y + 14), 180, 360, colour, 6)
            draw.arc((left + 32, y - 14, left + 64, y + 14), 0, 180, colour, 6)
    draw.text((MARGIN_PX + 150, 76), "Lethe", INK, _font(44))


def _draw_rows(draw: ImageDraw.ImageDraw, rows: tuple[Row, ...], y: int) -> None:
    """Draw names, intervals on one axis from 0, and scores."""
    left, right = 470, WIDTH_PX - MARGIN_PX - 140
    most = max(high for *_, high in rows) or 1.0
    for name, score, low, high in rows:
        middle = y + NAME_PX // 2 + 4
        (shown,) = _wrapped(draw, readable(name), _font(NAME_PX), 1, left - MARGIN_PX - 30) or [""]
        draw.text((MARGIN_PX, y), shown, INK, _font(NAME_PX))
        low_x, at, high_x = (left + (right - left) * max(value, 0.0) / most for value in (low, score, high))
        draw.line((left, middle, right, middle), "#d6dfe1", 2)
        draw.line((low_x, middle, high_x, middle), "#4a8d98", 10)
        draw.ellipse((at - 9, middle - 9, at + 9, middle + 9), RIVER)
        draw.text((right + 30, y), f"{score:.4f}", INK, _font(NAME_PX))
        y += ROW_PX


def _wrapped(
    draw: ImageDraw.ImageDraw,
    text: str,
    font: ImageFont.FreeTypeFont,
    most_lines: int,
    width_px: int = WIDTH_PX - 2 * MARGIN_PX,
) -> list[str]:
    """Break a text into lines; what does not fit ends in an ellipsis."""
    lines = [""]
    for word in _fitting(draw, text[:MOST_CHARS].split(), font, width_px):
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most_lines:
        last = lines[most_lines - 1]
        while last and draw.textlength(f"{last}…", font) > width_px:
            last = last[:-1]
        lines = [*lines[: most_lines - 1], f"{last}…"]
    return lines


def _fitting(
    draw: ImageDraw.ImageDraw, words: Iterable[str], font: ImageFont.FreeTypeFont, width_px: int
) -> Iterable[str]:
    for word in words:
        while len(word) > 1 and draw.textlength(word, font) > width_px:
            fits = next(n for n in range(len(word), 0, -1) if n == 1 or draw.textlength(word[:n], font) <= width_px)
            yield word[:fits]
            word = word[fits:]  # noqa: PLW2901
        yield word


def readable(text: str) -> str:
    """Leave out the characters that the font has no shape for, rather than draw boxes."""
    font = _font(NAME_PX)
    lacking = bytes(font.getmask(UNKNOWN))
    kept = "".join(one for one in text[:MOST_CHARS] if one == " " or bytes(font.getmask(one)) != lacking)
    return " ".join(kept.split())


@lru_cache(maxsize=8)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow lacks FreeType"
    return font
