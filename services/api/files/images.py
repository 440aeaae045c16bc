"""Images that pages of a competition show: uploaded by its organisers, drawn anew, and served from here alone.

What is uploaded is decoded and written again, so nothing of the file but its pixels reaches a reader: no metadata, no
script, no second file that hides in it.
"""

import io
import re
from collections.abc import Sequence

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import delete, func, select

from services.api.kit.auth import Principal
from services.core.errors import BadInput, Conflict, NotFound
from services.core.models import Act, Competition, CompetitionImage
from services.core.record.acts import record
from services.core.store.blobs import Blobs
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = ["BadImage", "TooManyImages", "find_image", "images_of", "put_image", "redrawn", "remove_image"]

MOST_IMAGES = 50  # of one competition
MOST_PIXELS = 8_000_000
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,55}\.(?:png|jpg|jpeg|webp)")
FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}
QUALITY = 90

Drawn = tuple[bytes, str, int, int]  # the file, its media type, width and height in pixels


class BadImage(BadInput):
    code = "bad_image"


class TooManyImages(Conflict):
    code = "too_many_images"


def redrawn(name: str, data: bytes) -> Drawn:
    """Decode an image and write its pixels again, in the format of its name. Raises BadImage."""
    if not NAME.fullmatch(name):
        raise BadImage("Name the image in small letters, digits, - and _, with .png, .jpg or .webp at its end.")
    form = FORMATS[name.rpartition(".")[2]]
    try:
        with Image.open(io.BytesIO(data), formats=[form]) as found:
            if found.width * found.height > MOST_PIXELS:
                raise BadImage(f"The image has more than {MOST_PIXELS:,} pixels. Make it smaller.")
            upright = ImageOps.exif_transpose(found)
            image = upright.convert("RGB" if form == "JPEG" or not upright.has_transparency_data else "RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImage(f"That is no {form} image. Save it as {form}, or give it the name of what it is.") from error
    written = io.BytesIO()
    image.save(written, form, **({"optimize": True} if form == "PNG" else {"quality": QUALITY}))
    return written.getvalue(), f"image/{form.lower()}", image.width, image.height


def images_of(session: ReadSession, competition: Competition) -> Sequence[CompetitionImage]:
    """List the images of a competition by name."""
    own = select(CompetitionImage).where(CompetitionImage.competition_id == competition.id)
    return session.scalars(own.order_by(CompetitionImage.name)).all()


def find_image(session: ReadSession, competition: Competition, name: str) -> CompetitionImage:
    """Find an image of a competition. Raises NotFound."""
    own = (CompetitionImage.competition_id == competition.id, CompetitionImage.name == name)
    found = session.scalars(select(CompetitionImage).where(*own)).one_or_none()
    if found is None:
        raise NotFound(f"The competition {competition.slug!r} has no image {name!r}.")
    return found


def put_image(
    session: WriteSession, blobs: Blobs, who: Principal, competition: Competition, *, name: str, drawn: Drawn
) -> CompetitionImage:
    """Add an image, or put it in the place of one of its name. It is on record. Raises TooManyImages."""
    data, media_type, width_px, height_px = drawn
    blob = blobs.put(data)
    session.execute(select(Competition.id).where(Competition.id == competition.id).with_for_update(key_share=True))
    own = (CompetitionImage.competition_id == competition.id, CompetitionImage.name == name)
    session.execute(delete(CompetitionImage).where(*own))
    others = select(func.count()).select_from(CompetitionImage).where(own[0])
    if session.scalars(others).one() >= MOST_IMAGES:
        raise TooManyImages(f"A competition has at most {MOST_IMAGES} images. Remove one first.")
    row = CompetitionImage(
        competition_id=competition.id,
        name=name,
        blob=blob,
        media_type=media_type,
        width_px=width_px,
        height_px=height_px,
        size_bytes=len(data),
        created_at=utc_now(),
    )
    session.add(row)
    session.flush()
    details = {"image": name, "sha256": row.blob}
    record(session, Act.IMAGE_ADDED, competition_id=competition.id, account_id=who.account_id, details=details)
    return row


def remove_image(session: WriteSession, who: Principal, competition: Competition, name: str) -> None:
    """Remove an image. It is on record. Raises NotFound."""
    session.delete(find_image(session, competition, name))
    details = {"image": name}
    record(session, Act.IMAGE_REMOVED, competition_id=competition.id, account_id=who.account_id, details=details)
    session.flush()
