"""Read what the launcher has taken out of sight, through what lies under a mount."""

import os


def attempt():
    seen = []
    for path in ("/lethe/public", "/lethe/taken", "/lethe/original", "/lethe/masks"):
        try:
            seen += [f"{path}/{name}" for name in os.listdir(path)]
        except OSError:
            continue
    return seen
