"""Run native code that one brings along: as a program, by the dynamic loader, as a library."""
# weak: the container keeps it away

import ctypes
import glob
import os
import shutil
import subprocess

from tools import OUT, SCRATCH

LOADERS = glob.glob("/lib*/ld-linux*.so.*") + glob.glob("/lib/*/ld-linux*.so.*")
LIBRARIES = glob.glob("/lib/*/libm.so.6") + glob.glob("/usr/lib/*/libm.so.6")


def attempt():
    ran = []
    for directory in (OUT, SCRATCH, "/dev/shm"):
        program, library = f"{directory}/program", f"{directory}/library.so"
        for command in [[program], *([loader, program] for loader in LOADERS[:1])]:
            try:
                shutil.copy("/bin/true", program)
                os.chmod(program, 0o4755)
                ran += [" ".join(command)] if subprocess.run(command, check=False, stderr=-3).returncode == 0 else []
            except OSError:
                continue
            finally:
                if os.path.exists(program):
                    os.unlink(program)
        try:
            shutil.copy(LIBRARIES[0], library)
            ctypes.CDLL(library)
            ran.append(library)
        except OSError:
            continue
        finally:
            if os.path.exists(library):
                os.unlink(library)
    return ran
