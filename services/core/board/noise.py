"""Where the noise of a score comes from, in words. Pages, commands and reports say it with these."""

from services.core.models.stored import VarianceForm

__all__ = ["LEFT_OUT", "noise_in_words", "shares_of"]

LEFT_OUT = (
    "All runs started from one original model, so no interval covers the draw of that original. "
    "On another original the same code may score otherwise."
)
UNKNOWN = "The original models of the runs are unknown, so no interval covers their draw."


def shares_of(variance: VarianceForm) -> dict[str, float]:
    """Return the share of each known part in the variance of a score, 0 to 1; empty if there is no noise."""
    parts = {"runs": variance.runs, "originals": variance.originals, "subjects": variance.subjects}
    squares = {name: part**2 for name, part in parts.items() if part is not None}
    whole = sum(squares.values())
    return {name: square / whole for name, square in squares.items()} if whole > 0 else {}


def noise_in_words(variance: VarianceForm, *, models: int) -> list[str]:
    """Say which part of the noise of a score of so many models is due to what, and what its intervals leave out."""
    starts, shares = variance.starts, shares_of(variance)
    titles = {
        "runs": "other runs",
        "originals": f"other original models (there were {starts})",
        "subjects": "other examples to forget",
    }
    sentences = []
    if shares:
        listed = ", ".join(f"{100 * share:.0f}% {titles[name]}" for name, share in shares.items())
        sentences.append(f"Where the noise comes from: {listed}.")
    if starts is None:
        sentences.append(UNKNOWN)
    elif starts == 1 and models > 1:
        sentences.append(LEFT_OUT)
    elif starts == models:
        sentences.append("Each run had an original model of its own, so the part of the runs contains them.")
    return sentences
