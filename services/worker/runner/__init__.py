"""Code that runs inside sandboxes: the runner of submissions, and the measurer of checkpoints.

It is staged into the sandbox by itself, and so imports the standard library, numpy, torch, this package and
`services.core.readings` alone. It runs on the torch of the sandbox image (1.13) as well as on ours.
"""
