"""Code that runs inside sandboxes: the runners of modules and notebooks, the intake, and the measurer of checkpoints.

It is staged into the sandbox by itself, and so imports the standard library, numpy, torch, this package,
`services.core.processes`, `services.core.bundle.readings` and `services.benchmarks.torchvision_operators` alone; the
notebook runner also nbclient, which the image has. It runs on the torch of the sandbox image (1.13) as well as on ours.
"""
