"""The head of the app's first page, with what previews of links and reference managers read there."""

from html import escape
from urllib.parse import quote

from services.api.sharing.card import Card
from services.api.sharing.pictures import HEIGHT_PX, WIDTH_PX

__all__ = ["with_card"]

TITLE = "<title>Lethe</title>"
DESCRIPTION = '<meta name="description" content="Open competitions for machine unlearning." />'


def with_card(index: str, card: Card, origin: str) -> str:
    """Put a card into the page. Every word is escaped, because people chose them."""
    title = f"<title>{escape(card.title)} · Lethe</title>"
    described = _meta("name", "description", card.description)
    tags = "\n    ".join([described, *_tags(card, origin)])
    return index.replace(TITLE, title, 1).replace(DESCRIPTION, tags, 1)


def _tags(card: Card, origin: str) -> list[str]:
    page, picture = origin + quote(card.page, safe="/?=&"), origin + quote(card.picture)
    tags = [
        _meta("property", "og:site_name", "Lethe"),
        _meta("property", "og:type", "website"),
        _meta("property", "og:title", card.title),
        _meta("property", "og:description", card.description),
        _meta("property", "og:url", page),
        _meta("property", "og:image", picture),
        _meta("property", "og:image:width", str(WIDTH_PX)),
        _meta("property", "og:image:height", str(HEIGHT_PX)),
        _meta("property", "og:image:alt", card.title),
        _meta("name", "twitter:card", "summary_large_image"),
    ]
    return tags + _citation(card, page, origin) if card.citation else tags


def _citation(card: Card, page: str, origin: str) -> list[str]:
    bibtex = escape(origin + quote(card.citation))
    return [
        _meta("name", "citation_title", card.title),
        _meta("name", "citation_author", card.author),
        _meta("name", "citation_publication_date", f"{card.created_at:%Y/%m/%d}"),
        _meta("name", "citation_public_url", page),
        f'<link rel="alternate" data-card type="application/x-bibtex" href="{bibtex}" />',
    ]


def _meta(kind: str, name: str, content: str) -> str:
    return f'<meta data-card {kind}="{name}" content="{escape(content)}" />'
