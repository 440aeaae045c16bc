"""Code that runs inside sandboxes: the runners of modules and notebooks, the intake, and the measurer of checkpoints.

Only this package is staged into the sandbox, so it imports only the standard library, numpy, torch, this package,
`services.core.processes`, `services.core.bundle.readings` and `services.benchmarks.torchvision_operators`. The notebook
runner also imports nbclient, which the image contains. The code runs on the torch of every environment: ours, and 1.13
of `kaggle-2023`.
"""
