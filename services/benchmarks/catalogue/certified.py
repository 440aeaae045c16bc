"""Benchmarks of certified unlearning: logistic regression on features of unit norm, learned by descent."""

from dataclasses import replace

from services.benchmarks.definitions import Definition, Fractions
from services.benchmarks.recipes import NoisyDescent
from services.benchmarks.scenarios import Random

__all__ = ["CERTIFIED"]

# Both have the penalty m/2 |w|^2; one is for 3 and 8, the other for all ten digits. Their steps bring a start that is
# independent of the data within epsilon 0.42 and 0.59 of the distribution to which learning converges.
_BINARY = NoisyDescent(steps=4000, strong_convexity=0.02, smoothness=0.27, lipschitz=1.0, sigma=0.02)
_TEN = NoisyDescent(steps=6000, strong_convexity=0.02, smoothness=0.52, lipschitz=2**0.5, sigma=0.01)


def _as_published(examples: int) -> NoisyDescent:
    """Learn a binary problem as the papers did: penalty 1e-6 n for n examples, sigma 0.03, 10,000 steps."""
    m = 1e-6 * examples
    return NoisyDescent(steps=10_000, strong_convexity=m, smoothness=0.25 + m, lipschitz=1.0, sigma=0.03)


CERTIFIED = (
    # 16 of the 256 labels are wrong, so even a noisy model shows whether it has learned them.
    Definition(
        name="certified-digits",
        title="Certified: 3 and 8, learned by noisy descent",
        dataset="digits",
        architecture="unit_logistic",
        recipe=_BINARY,
        scenario=Random(16, wrong=16),
        placebo=None,
        split=Fractions(train=256 / 357, validation=32 / 357),
        only=(3, 8),
    ),
    Definition(
        name="certified-digits-batches",
        title="Certified: 3 and 8, learned by noisy descent in 8 batches",
        dataset="digits",
        architecture="unit_logistic",
        recipe=replace(_BINARY, batches=8),
        scenario=Random(16, wrong=16),
        placebo=None,
        split=Fractions(train=256 / 357, validation=32 / 357),
        only=(3, 8),
    ),
    Definition(
        name="certified-digits-d2d",
        title="Certified: 3 and 8, learned by descent without noise",
        dataset="digits",
        architecture="unit_logistic",
        recipe=replace(_BINARY, sigma=0.0, published_sigma=0.05),
        scenario=Random(16, wrong=16),
        placebo=None,
        split=Fractions(train=256 / 357, validation=32 / 357),
        only=(3, 8),
    ),
    Definition(
        name="certified-digits-ten",
        title="Certified: all ten digits",
        dataset="digits",
        architecture="unit_logistic",
        recipe=_TEN,
        scenario=Random(16, wrong=16),
        placebo=None,
        split=Fractions(train=256 / 1797, validation=32 / 1797),
    ),
    Definition(
        name="certified-mnist",
        title="Certified: 3 and 8 of MNIST",
        dataset="mnist",
        architecture="unit_logistic",
        recipe=_as_published(examples=11_982),
        scenario=Random(100),
        placebo=None,
        split="published",
        only=(3, 8),
    ),
    Definition(
        name="certified-cifar10",
        title="Certified: cats and ships of CIFAR-10",
        dataset="cifar10",
        architecture="unit_logistic",
        recipe=_as_published(examples=10_000),
        scenario=Random(100),
        placebo=None,
        split="published",
        only=(3, 8),
    ),
)
