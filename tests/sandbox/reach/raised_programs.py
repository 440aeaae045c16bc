"""Find a program that raises rights: by a set-user-id or set-group-id bit, or by capabilities of its file."""
# weak: the image has none

import os


def attempt():
    found = []
    for top in ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local", "/bin", "/sbin", "/lethe", "/opt"):
        for directory, _, files in os.walk(top):
            for path in (f"{directory}/{name}" for name in files):
                try:
                    found += (
                        [path] if os.lstat(path).st_mode & 0o6000 or os.getxattr(path, "security.capability") else []
                    )
                except OSError:
                    continue
    return found
