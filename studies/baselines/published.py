"""Numbers that others published, with their source and differences from our setting. We measured none of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PAPERS", "SCORES", "Paper", "Published"]


@dataclass(frozen=True, slots=True)
class Published:
    """A final score of an entry of the 2023 competition, or of a paper."""

    entry: str
    value: str
    where: str
    differs: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One setting of the SSD paper; for each method "D_r / D_f / MIA, seconds", in per cent."""

    setting: str
    values: Mapping[str, str] = field(default_factory=dict)


_FACES_2023 = "another dataset (some 30,000 faces), an original model of 30 epochs, 512 models a side, a GPU"

SCORES = (
    Published("finetune", "0.0464 ± 0.0031", "public leaderboard, the organisers' starter notebook", _FACES_2023),
    Published(
        "finetune",
        "0.046 at rate 0.001, 0.049 at 0.0005 and batches of 32, 0.009 after 4 epochs",
        "public leaderboard, a team's grid",
        f"{_FACES_2023}; the first has our rate, batches and epoch",
    ),
    Published("gradient_ascent", "0.0001 ± 0.0001", "public leaderboard, NegGrad", f"rate unknown; {_FACES_2023}"),
    Published(
        "winner_1_contrastive",
        "0.084, 0.091 with a cosine schedule",
        "public leaderboard, first place, its authors' write-up",
        _FACES_2023,
    ),
    Published(
        "winner_2_masked_reset",
        "none known; another entry with random masks and resets 0.0795 public, 0.0937 private",
        "final ranking, second place",
        f"the figures are of a related method, not of this one; {_FACES_2023}",
    ),
    Published(
        "winner_3_noisy_first_layer",
        "0.092 mean, 0.0968 best; private 0.0885",
        "leaderboards, third place, its author's write-up",
        f"six hours for 512 models; {_FACES_2023}",
    ),
    Published(
        "winner_4_pruned_reset",
        "0.0932; private 0.0863",
        "leaderboards, fourth place, its author's write-up",
        f"weights rounded to 16 bits; {_FACES_2023}",
    ),
    Published(
        "winner_5_transposed",
        "alone 0.0720 or 0.0707; mixed with another method 0.0785 private",
        "leaderboards, fifth place, its authors' write-up",
        f"ours is the half that transposes; which of the two figures is its own is not said; {_FACES_2023}",
    ),
    Published(
        "winner_6_reset_and_distil",
        "0.0832 and 0.0838; private 0.0783 and 0.0722",
        "leaderboards, sixth place, its authors' write-up",
        f"the best warmed up on two classes; {_FACES_2023}",
    ),
    Published("winner_7_layerwise", "none known", "final ranking, seventh place", _FACES_2023),
    Published(
        "winner_9_forget_free",
        "0.0939 ± 0.0065 and 0.0929 ± 0.0051; 0.0617 without logits, 0.0844 with two cycles",
        "public leaderboard, ninth place, its authors' write-up",
        _FACES_2023,
    ),
    *(
        Published(name, "none known", where, "the paper measures gaps of accuracies and MIA to retraining, not F")
        for name, where in (
            ("salun", "arXiv 2310.12508"),
            ("l1_sparse", "arXiv 2304.04934"),
            ("rum", "arXiv 2406.01257"),
        )
    ),
    Published("finetune_noise", "none known", "a public notebook, rank 589 of 1,188", "the notebook gives no score"),
    Published("fisher_noise", "none known", "a public notebook, rank 589 of 1,188", "the notebook gives no score"),
    Published("last_layer_newton", "none known", "a public notebook, rank 589 of 1,188", "the notebook gives no score"),
    Published("retrain", "none", "–", "exact unlearning was not on the board"),
    Published(
        "langevin_noisy",
        "MNIST 3 against 8: 91.07 ± 0.48% test accuracy at epsilon 1",
        "arXiv 2401.10371, one step of unlearning",
        "convex logistic regression with a certificate; here neither holds, and nothing is certified",
    ),
    Published(
        "potion",
        "heals 93.72% of poison, SSD 83.41%, retraining 40.68%; accuracy falls by 1.41 points, SSD by 5.68",
        "its authors' repository: ResNet-9 on CIFAR-10, WRN-28-10 on CIFAR-100",
        "removing poisoned triggers of which only some are known, by accuracy, not by F",
    ),
    *(
        Published(name, "see the scenarios below", "arXiv 2308.07707", "the paper measures accuracies and MIA, not F")
        for name in ("ssd", "bad_teacher", "amnesiac", "unsir", "fisher_forgetting")
    ),
)

PAPERS = {
    "random": Paper(
        "CIFAR-10, ResNet-18",
        {
            "original": "90.71 / 95.30 / 75.78",
            "retrain": "91.45 / 94.10 / 74.22, 308 s",
            "finetune": "88.02 / 90.00 / 74.58",
            "bad_teacher": "90.21 / 90.00 / 49.28",
            "amnesiac": "90.16 / 59.04 / 25.18",
            "ssd": "88.68 ± 3.36 / 93.61 ± 4.99 / 72.65, 121 s",
            "fisher_forgetting": "12.74 / 11.85 / 46.59, 3225 s",
        },
    ),
    "class": Paper(
        "CIFAR-100 rocket, ResNet-18",
        {
            "original": "76.27 / 80.90 / 93.40, 111 s",
            "retrain": "72.83 / 0 / 1.04, 1805 s",
            "finetune": "64.05 / 0 / 13.70, 159 s",
            "bad_teacher": "74.53 / 0 / 0, 120 s",
            "unsir": "73.89 / 28.66 / 1.94, 138 s",
            "amnesiac": "73.34 / 0 / 29.56, 147 s",
            "ssd": "74.54 / 0 / 2.20, 120 s",
            "fisher_forgetting": "1.18 / 0 / 0, 28744 s",
        },
    ),
    "subclass": Paper(
        "CIFAR-20 rocket, ResNet-18",
        {
            "original": "82.54 / 79.34 / 89.40",
            "retrain": "81.54 / 10.74 / 3.85, 453 s",
            "finetune": "72.41 / 9.75 / 18.67",
            "bad_teacher": "81.48 / 6.41 / 0",
            "unsir": "81.13 / 59.20 / 33.53",
            "amnesiac": "81.46 / 0.76 / 6.60",
            "ssd": "82.43 / 2.17 / 10.80, 121 s",
            "fisher_forgetting": "5.20 / 0.78 / 43.40, 6154 s",
        },
    ),
}
