"""The score by which the kernel chooses whom to end, and other numbers of the launcher under /proc."""

from tools import parents

FILES = {"oom_score_adj": "321", "timerslack_ns": "54321", "coredump_filter": "0x7f", "loginuid": "4242"}


def look():
    return [f"{p} {f}" for p in parents() for f, value in FILES.items() if _read(p, f) in (value, "0000007f")] or None


def plant():
    for process in parents():
        for file, value in FILES.items():
            try:
                open(f"/proc/{process}/{file}", "w").write(value)
            except OSError:
                continue


def _read(process, file):
    try:
        return open(f"/proc/{process}/{file}").read().strip()
    except OSError:
        return ""
