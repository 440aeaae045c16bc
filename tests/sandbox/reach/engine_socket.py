"""Find the Docker engine's socket, or any other socket in the file system."""
# weak: the container keeps it away

import os
import stat


def attempt():
    found = []
    for directory, directories, files in os.walk("/"):
        if directory in ("/proc", "/sys", "/usr"):
            directories.clear()
        for name in files:
            try:
                if stat.S_ISSOCK(os.lstat(f"{directory}/{name}").st_mode):
                    found.append(f"{directory}/{name}")
            except OSError:
                continue
    return found + [p for p in ("/run/docker.sock", "/var/run/docker.sock", "/run/containerd") if os.path.exists(p)]
