"""Learn paths of the host from the table of mounts."""


# docker: the kernel shows every process where its own mounts come from
# gvisor: shows nothing of the host, but the names of its own
def attempt():
    lines = open("/proc/self/mountinfo").read().splitlines()
    return [line for line in lines if "attacks-" in line or "slot-" in line or "docker/containers" in line]
