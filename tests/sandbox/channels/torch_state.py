"""What torch and numpy keep between calls: the model, the data, settings, generators."""

# also: process
# weak: even the weakened launcher forks for every seed
import numpy as np
import torch
from tools import bench


def look():
    seen = ["attribute"] if hasattr(torch, "left") or hasattr(np, "left") else []
    seen += ["dtype"] if torch.get_default_dtype() is torch.float64 else []
    seen += ["data"] if bench().retain.images[0, 0].item() == 4242 else []
    seen += ["errors"] if np.geterr()["over"] == "raise" else []
    return seen or None


def plant():
    torch.left = np.left = 1
    bench().retain.images[0, 0] = 4242
    np.seterr(over="raise")
