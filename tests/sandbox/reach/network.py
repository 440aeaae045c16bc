"""Connect to anything by IPv4 or IPv6, or see an interface beside the loopback."""
# weak: the profile refuses the calls

import os
import socket


def attempt():
    seen = [name for name in os.listdir("/sys/class/net") if name != "lo"]
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET, "192.0.2.1")):
        for port in (22, 53, 80, 2375, 5432, 6379, 8000):
            try:
                with socket.socket(family) as client:
                    client.settimeout(0.1)
                    client.connect((host, port))
                    seen.append(f"{host}:{port}")
            except OSError:
                continue
    return seen
