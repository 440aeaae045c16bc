"""Find a program that raises rights: a set-user-id or set-group-id bit."""
# weak: the image has none

import os


def attempt():
    found = []
    for top in ("/usr/bin", "/usr/sbin", "/usr/lib", "/bin", "/sbin", "/lethe", "/opt"):
        for directory, _, files in os.walk(top):
            for name in files:
                path = f"{directory}/{name}"
                try:
                    found += [path] if os.lstat(path).st_mode & 0o6000 else []
                except OSError:
                    continue
    return found
