"""Invents the differences between images of one subject: pose, expression, light, focus and grain."""

from dataclasses import dataclass

import numpy as np

__all__ = ["View", "view_of"]


@dataclass(frozen=True, slots=True)
class View:
    """The traits of one image. Shifts are in half heights of a face, the angle in radians, blur in pixels of 96."""

    shift_x: float
    shift_y: float
    angle: float
    scale: float
    turn: float  # features shift sideways, as on a turned head
    smile: float
    mouth_open: float
    eyes_open: float
    brows_up: float
    gaze: float
    gain: float
    slope_x: float
    slope_y: float
    warmth: float
    wall_shade: float
    blur: float
    grain: float
    grain_seed: int


def view_of(seed: int, number: int, image: int) -> View:
    """Invent image `image` (1, 2, …) of subject `number`. The result does not depend on the number of images."""
    rng = np.random.default_rng([seed, number, image])
    return View(
        shift_x=float(np.clip(rng.normal(0, 0.07), -0.16, 0.16)),
        shift_y=float(np.clip(rng.normal(0, 0.06), -0.14, 0.14)),
        angle=float(np.clip(rng.normal(0, 0.07), -0.18, 0.18)),
        scale=float(rng.uniform(0.90, 1.08)),
        turn=float(np.clip(rng.normal(0, 0.07), -0.15, 0.15)),
        smile=float(rng.uniform(-0.35, 1.0)),
        mouth_open=max(0.0, float(rng.uniform(-0.6, 1.0))),
        eyes_open=0.12 if rng.random() < 0.04 else float(rng.uniform(0.65, 1.0)),
        brows_up=float(rng.uniform(-0.5, 1.0)),
        gaze=float(rng.uniform(-1, 1)),
        gain=float(rng.uniform(0.78, 1.16)),
        slope_x=float(rng.normal(0, 0.13)),
        slope_y=float(rng.normal(-0.03, 0.08)),
        warmth=float(rng.normal(0, 0.035)),
        wall_shade=float(rng.uniform(0.85, 1.1)),
        blur=float(rng.uniform(0.0, 1.0)),
        grain=float(rng.uniform(2.0, 7.0)),
        grain_seed=int(rng.integers(2**63)),
    )
