"""Draw the figures of "Langevin Unlearning" (arXiv 2401.10371): `python -m studies.certified_figures 3a`, or `all`.

The command draws docs/images/certified-3a.svg and the other figures, and prints their numbers. docs/certificates.md
explains the differences from the paper.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from services.core.errors import LetheError
from studies.certified_figures.lab import Lab, open_lab
from studies.certified_figures.picture import Drawn
from studies.certified_figures.privacy import draw_3a
from studies.certified_figures.scales import SCALES
from studies.certified_figures.sequences import draw_3b
from studies.certified_figures.waits import draw_3c, draw_4, draw_5

FIGURES: dict[str, tuple[str, Callable[[Lab], Drawn]]] = {
    "3a": ("accuracy against epsilon after 1, 2 and 5 steps for one point", draw_3a),
    "3b": ("passes to forget many points, one request after another", draw_3b),
    "3c": ("steps and accuracy against sigma", draw_3c),
    "4": ("steps against epsilon", draw_4),
    "5": ("steps and accuracy against the number of points", draw_5),
}
TIMES = (
    "On digits, 100 trials take a core 60 s for 3a, 20 to 30 s for 3b, 3c and 5, and 3 s for 4. On mnist a step takes "
    "0.2 s: an hour for 3a with --steps 500, a day with the paper's 10,000. A GPU is used if there is one."
)
IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw one figure, or all."""
    options = _parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as cache:
        for name in FIGURES if options.figure == "all" else [options.figure]:
            title, draw_figure = FIGURES[name]
            start = time.perf_counter()
            lab = open_lab(options.dataset, options.data, trials=options.trials, cache=Path(cache), steps=options.steps)
            drawn = draw_figure(lab)
            suffix = "" if options.dataset == "digits" else f"-{options.dataset}"
            file = options.out / f"certified-{name}{suffix}.svg"
            file.write_text(drawn.svg, encoding="utf-8")
            print(f"\nFigure {name}: {title}", *drawn.tables, sep="\n\n")
            print(f"\n{file}, {time.perf_counter() - start:.0f} s", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies.certified_figures",
        description=__doc__.splitlines()[0],
        epilog=f"{'; '.join(f'{name}: {title}' for name, (title, _) in FIGURES.items())}. {TIMES}",
    )
    parser.add_argument("figure", choices=[*FIGURES, "all"], help="figure to draw, or all")
    parser.add_argument("--dataset", choices=list(SCALES), default="digits", help="default: digits")
    parser.add_argument("--data", type=Path, help="directory with the files of mnist or cifar10")
    parser.add_argument("--trials", type=_trials, default=100, help="models in each mean; default: 100")
    parser.add_argument("--steps", type=int, help="steps of learning; default: those of the dataset's benchmark")
    parser.add_argument("--out", type=Path, default=IMAGES, help="directory of the pictures; default: docs/images")
    return parser


def _trials(text: str) -> int:
    count = int(text)
    if count < 2:
        raise argparse.ArgumentTypeError("expected at least 2")
    return count


if __name__ == "__main__":
    try:
        main()
    except LetheError as error:
        print(f"certified_figures: {error.message}", file=sys.stderr)
        sys.exit(1)
