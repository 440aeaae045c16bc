"""Run native programs that one brings along."""
# weak: the container keeps it away

import os
import shutil
import subprocess

from tools import OUT, SCRATCH


def attempt():
    ran = []
    for directory in (OUT, SCRATCH, "/dev/shm"):
        path = f"{directory}/program"
        try:
            shutil.copy("/bin/true", path)
            os.chmod(path, 0o4755)
            ran += [directory] if subprocess.run([path], check=False).returncode == 0 else []
        except OSError:
            continue
        finally:
            if os.path.exists(path):
                os.unlink(path)
    return ran
