"""The figures of *Langevin Unlearning* (arXiv 2401.10371), drawn again: `python -m studies.certified_figures all`."""
