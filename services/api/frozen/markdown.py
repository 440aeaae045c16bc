"""Markdown as the web app renders it: CommonMark without raw HTML, with headings below the page's.

Nothing is loaded: images of the competition stand in the page itself.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

__all__ = ["rendered"]

FOLDER = "images"
LOWEST = 6
BELOW = 2  # the page and the section have headings of their own
SAFE = re.compile(r"^(?:https?|ircs?|mailto|xmpp):|^[^:]*$|^[^:]*[/?#]", re.IGNORECASE)  # as react-markdown has it


class _Parser(MarkdownIt):
    """Takes a link with any address for a link; what its address may be is decided when it is rendered."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return True


class _Renderer(RendererHTML):
    """Shows a picture of elsewhere as a link to it, and leaves a link with a dangerous address without one."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        token = tokens[idx]
        label = self.renderInlineAsText(token.children or [], options, env) or "picture"
        folder, _, name = str(token.attrGet("src") or "").rpartition("/")
        own = env.get(name) if folder == FOLDER else None
        if own is not None:
            return f'<img src="{escape(own)}" alt="{escape(label)}">'
        away = Token("link_open", "a", 1, attrs={"href": token.attrGet("src") or ""})
        inside = Token("text", "", 0, content=label)
        return self.render([_away(away), inside, Token("link_close", "a", -1)], options, env)


def rendered(text: str, images: Mapping[str, str] | None = None) -> str:
    """Turn Markdown into HTML. `images` holds the competition's own by name, as data URLs."""
    parser = _Parser("commonmark", {"html": False}, renderer_cls=_Renderer)
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(LOWEST, int(token.tag[1]) + BELOW)}"
        for child in token.children or []:
            if child.type == "link_open":
                _away(child)
    html: str = parser.renderer.render(tokens, parser.options, dict(images or {}))
    return html


def _away(link: Token) -> Token:
    address = str(link.attrGet("href") or "")
    link.attrs = {"href": address} if SAFE.match(address) else {}
    link.attrSet("rel", "noopener noreferrer nofollow")
    return link
