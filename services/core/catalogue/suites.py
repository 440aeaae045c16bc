"""The suites of secondary columns."""

from services.core.catalogue.entries import Better, ColumnInfo, SuiteInfo

__all__ = ["SUITES"]

ORACLE = "_oracle"


def _beside_oracle(name: str, title: str, unit: str, meaning: str) -> tuple[ColumnInfo, ColumnInfo]:
    """Make a column that should come close to the oracle's own value, and the column of that value."""
    return (
        ColumnInfo(name, title, unit, Better.ORACLE, meaning, oracle_column=name + ORACLE),
        ColumnInfo(name + ORACLE, f"{title}, oracle", unit, Better.NEITHER, f"{meaning}, for the oracle's models"),
    )


_STARTING_KIT = SuiteInfo(
    "starting-kit",
    "Starting kit's membership inference",
    "github.com/unlearning-challenge/starting-kit",
    _beside_oracle(
        "mia_accuracy",
        "Attack accuracy",
        "share",
        "accuracy of an attack on losses that tells forget from test examples",
    ),
)

_SSD = SuiteInfo(
    "ssd",
    "Selective synaptic dampening",
    "arXiv 2308.07707, arXiv 2205.08096",
    (
        ColumnInfo("retain_accuracy", "Retain accuracy", "share", Better.HIGHER, "accuracy on retain examples"),
        ColumnInfo(
            "forget_accuracy",
            "Forget accuracy",
            "share",
            Better.ORACLE,
            "accuracy on forget examples, by the labels used in training",
        ),
        ColumnInfo(
            "mia", "MIA", "share", Better.ORACLE, "forget examples that an attack on entropies classifies as members"
        ),
        ColumnInfo(
            "zrf",
            "ZRF",
            "share",
            Better.ORACLE,
            "similarity to untrained models on forget examples; 1 means the same outputs",
        ),
        ColumnInfo(
            "activation_distance",
            "Activation distance",
            "L2 norm",
            Better.LOWER,
            "distance between softmax outputs and the oracle's",
        ),
        ColumnInfo("run_s", "Run time", "s", Better.LOWER, "mean wall-clock time of one run"),
    ),
)

_U_LIRA = SuiteInfo(
    "u-lira",
    "U-LiRA",
    "arXiv 2403.01218, arXiv 2302.09880",
    (
        ColumnInfo(
            "accuracy",
            "Attack accuracy",
            "share",
            Better.LOWER,
            "accuracy of the attack, mean over forget examples; 0.5 is ideal",
        ),
        ColumnInfo(
            "accuracy_p95",
            "Attack accuracy, P95",
            "share",
            Better.LOWER,
            "accuracy of the attack, 95th percentile over forget examples",
        ),
        ColumnInfo(
            "auc",
            "Attack AUC",
            "share",
            Better.LOWER,
            "area under the attack's ROC curve, mean over forget examples; 0.5 is ideal",
        ),
        ColumnInfo(
            "tpr_at_1_percent_fpr",
            "TPR at 1% FPR",
            "share",
            Better.LOWER,
            "unlearned models that the attack finds at 1% false positives, over all examples",
        ),
    ),
)

_KLOM = SuiteInfo(
    "klom",
    "KL divergence of margins",
    "arXiv 2410.23232, arXiv 2602.16400",
    tuple(
        ColumnInfo(
            f"{part}_{name}",
            f"{part.capitalize()}, {short}",
            "nats",
            Better.LOWER,
            f"KL divergence of margins from the oracle's, {what} over {examples}",
        )
        for part, examples in (
            ("forget", "forget examples"),
            ("retain", "probed retain examples"),
            ("test", "test examples"),
        )
        for name, short, what in (("mean", "mean", "mean"), ("p95", "P95", "95th percentile"))
    ),
)

_TUG_OF_WAR = SuiteInfo(
    "tug-of-war",
    "Tug of war",
    "arXiv 2406.01257",
    (
        ColumnInfo(
            "tug_of_war",
            "Tug of war",
            "share",
            Better.HIGHER,
            "product of one minus each absolute difference; 1 equals the oracle",
        ),
        *(
            ColumnInfo(
                f"{part}_difference",
                f"{part.capitalize()} difference",
                "share",
                Better.ORACLE,
                f"mean {part} accuracy of the unlearned models minus the oracle's",
            )
            for part in ("forget", "retain", "test")
        ),
    ),
)

_AVERAGE_GAP = SuiteInfo(
    "average-gap",
    "Average gap",
    "arXiv 2310.12508, arXiv 2304.04934",
    (
        ColumnInfo(
            "average_gap",
            "Average gap",
            "percentage points",
            Better.LOWER,
            "mean absolute difference of UA, RA, TA and MIA from the oracle's",
        ),
        *_beside_oracle("unlearning_accuracy", "UA", "%", "unlearning accuracy, 1 - accuracy on forget examples"),
        *_beside_oracle("remaining_accuracy", "RA", "%", "remaining accuracy, accuracy on retain examples"),
        *_beside_oracle("testing_accuracy", "TA", "%", "testing accuracy, accuracy on test examples"),
        *_beside_oracle(
            "mia_efficacy", "MIA", "%", "forget examples that an attack on confidences classifies as non-members"
        ),
    ),
)

_RMIA = SuiteInfo(
    "rmia",
    "RMIA",
    "arXiv 2312.03262",
    (
        *_beside_oracle(
            "auc",
            "Attack AUC",
            "share",
            "area under the ROC curve of an attack that tells forget from test examples by their likelihood",
        ),
        *_beside_oracle(
            "tpr_at_1_percent_fpr",
            "TPR at 1% FPR",
            "share",
            "forget examples that the attack finds at 1% false positives",
        ),
        *_beside_oracle(
            "tpr_at_01_percent_fpr",
            "TPR at 0.1% FPR",
            "share",
            "forget examples that the attack finds at 0.1% false positives",
        ),
    ),
)

_CONTROLS = SuiteInfo(
    "controls",
    "Controls",
    "this project: the attacks of neurips-2023, u-lira and klom on examples that nobody forgot",
    (
        *_beside_oracle(
            "quality_test", "F on test", "F", "forgetting quality of neurips-2023, computed on test examples"
        ),
        *_beside_oracle(
            "quality_retain", "F on retain", "F", "forgetting quality of neurips-2023, computed on retain examples"
        ),
        *_beside_oracle("u_lira_test", "U-LiRA on test", "share", "accuracy of U-LiRA's attack on test examples"),
        *_beside_oracle(
            "u_lira_excess", "U-LiRA excess", "share", "accuracy of U-LiRA's attack on forget minus test examples"
        ),
        *_beside_oracle("klom_excess", "KLoM excess", "nats", "KL divergence of margins on forget minus test examples"),
    ),
)

_MEMORY = SuiteInfo(
    "memory",
    "Memory and drift",
    "this project: the readings behind lethe-2, described in docs/scoring.md",
    (
        *_beside_oracle(
            "memory", "Memory", "share", "what the models still remember of the forget set; 1 is the original model"
        ),
        *_beside_oracle(
            "labels_kept", "Labels kept", "share", "labels given that the original knows and retrained models do not"
        ),
        *_beside_oracle(
            "drift",
            "Drift",
            "SDs",
            "root mean square shift of one original's runs on test examples, in the oracle's standard deviations",
        ),
        *_beside_oracle(
            "balance_ratio",
            "Balance",
            "ratio",
            "shifts on forget over shifts on control examples; far below 1 if the forget set is pinned",
        ),
        *_beside_oracle(
            "joint_forget", "Joint audit, forget", "nats", "epsilon that the joint audit proves on all forget examples"
        ),
        *_beside_oracle(
            "joint_test", "Joint audit, test", "nats", "epsilon that the joint audit proves on all test examples"
        ),
        *_beside_oracle(
            "weights_moved", "Weights moved", "ratio", "distance of weights to the original over retrained models' own"
        ),
        *_beside_oracle(
            "weights_spread", "Weights' spread", "ratio", "distance of weights between runs over retrained models' own"
        ),
    ),
)

_ROBUSTNESS = SuiteInfo(
    "robustness",
    "Robustness",
    "this project, after arXiv 2410.16454, 2505.22310, 2601.22359 and 2406.17216",
    (
        *_beside_oracle(
            "clean_memory",
            "Memory, clean",
            "share",
            "what the models remember on the examples of the stage, before any stress; 1 is the original model",
        ),
        *_beside_oracle(
            "int8_memory", "Memory, int8", "share", "what they remember after their weights are rounded to 8 bits"
        ),
        *_beside_oracle(
            "int4_memory", "Memory, int4", "share", "what they remember after their weights are rounded to 4 bits"
        ),
        *_beside_oracle(
            "perturbed_memory", "Memory, perturbed", "share", "what they remember of perturbed copies of the images"
        ),
        *_beside_oracle(
            "relearning_early",
            "Relearning, early",
            "share",
            "what they remember after a few steps of fine-tuning on retain examples; 1 is the original model's",
        ),
        *_beside_oracle(
            "relearning",
            "Relearning",
            "share",
            "what they remember after all steps of fine-tuning on retain examples; 1 is the original model's",
        ),
        ColumnInfo(
            "relearning_low", "Relearning, low", "share", Better.NEITHER, "lower end of its 95% interval over seeds"
        ),
        ColumnInfo(
            "relearning_high", "Relearning, high", "share", Better.NEITHER, "upper end of its 95% interval over seeds"
        ),
        *_beside_oracle(
            "relearned_labels",
            "Relearned labels",
            "share",
            "accuracy on forget examples after relearning; 0 is the oracle's, 1 the original's",
        ),
        *_beside_oracle(
            "distance_to_original",
            "Distance to original",
            "ratio",
            "distance of the weights to those of the run's original, over these weights' norm",
        ),
        *_beside_oracle(
            "poison_success", "Poison success", "share", "hidden images with the planted trigger that get its label"
        ),
        ColumnInfo(
            "unreadable", "Unreadable", "share", Better.LOWER, "readings under stress with an output not finite"
        ),
        ColumnInfo("models_read", "Models read", "models", Better.NEITHER, "models that were put under stress"),
    ),
)

_PLACEBO = SuiteInfo(
    "placebo",
    "Placebo audit",
    "this project: runs that start from models which never saw the forget set, described in docs/scoring.md",
    (
        ColumnInfo(
            "follows_forget",
            "Follows placebos, forget",
            "share",
            Better.NEITHER,
            "part of a placebo's own deviation that runs keep on forget examples; 0 if they retrain",
        ),
        ColumnInfo(
            "follows_test",
            "Follows placebos, test",
            "share",
            Better.NEITHER,
            "the same on test examples; far more than on forget examples if the entry replaces outputs",
        ),
        ColumnInfo(
            "harm",
            "Harm to placebos",
            "share",
            Better.LOWER,
            "how far runs move placebos from retrained models on forget beyond test examples; 1 is as far as the "
            "original is",
        ),
        ColumnInfo(
            "memory",
            "Memory beyond placebos",
            "share",
            Better.LOWER,
            "what runs from originals remember beyond runs from placebos; 1 is the original model, 0 retraining",
        ),
        ColumnInfo(
            "memory_low",
            "Memory beyond placebos, low",
            "share",
            Better.NEITHER,
            "lower end of its 95% interval over originals and placebos",
        ),
        ColumnInfo(
            "memory_high",
            "Memory beyond placebos, high",
            "share",
            Better.NEITHER,
            "upper end of its 95% interval over originals and placebos",
        ),
        ColumnInfo("placebo_runs", "Placebo runs", "runs", Better.NEITHER, "runs that started from a placebo"),
    ),
)

SUITES: dict[str, SuiteInfo] = {
    suite.name: suite
    for suite in (
        _SSD,
        _U_LIRA,
        _KLOM,
        _TUG_OF_WAR,
        _STARTING_KIT,
        _AVERAGE_GAP,
        _RMIA,
        _CONTROLS,
        _MEMORY,
        _ROBUSTNESS,
        _PLACEBO,
    )
}
