"""Make each system call that is not on the list: the kernel must not even look at its arguments."""
# weak: the profile refuses the calls

# gvisor: no filter applies, but these calls reach its own kernel and not the host's
from tools import ON_X86, call

NOT_LISTED = {
    "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "init_module": 175, "finit_module": 313,
    "delete_module": 176, "kexec_load": 246, "iopl": 172, "ioperm": 173, "quotactl": 179, "acct": 163,
    "swapon": 167, "swapoff": 168, "reboot": 169, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159,
    "clock_adjtime": 305, "sethostname": 170, "setdomainname": 171, "syslog": 103, "lookup_dcookie": 212,
    "move_pages": 279, "migrate_pages": 256, "mbind": 237, "set_mempolicy": 238, "kcmp": 312, "process_vm_readv": 310,
    "process_vm_writev": 311, "ptrace": 101, "name_to_handle_at": 303, "open_by_handle_at": 304, "fanotify_init": 300,
    "fanotify_mark": 301, "vmsplice": 278, "splice": 275, "tee": 276, "modify_ldt": 154, "process_madvise": 440,
    "process_mrelease": 448, "seccomp": 317, "landlock_create_ruleset": 444, "pidfd_open": 434, "pidfd_getfd": 438,
    "pidfd_send_signal": 424, "memfd_create": 319, "memfd_secret": 447, "fallocate": 285, "mincore": 27,
    "fadvise64": 221, "readahead": 187, "cachestat": 451, "futex_waitv": 449, "map_shadow_stack": 453,
    "statmount": 457, "listmount": 458, "lsm_list_modules": 461, "mseal": 462, "setns": 308, "unshare": 272,
    "chroot": 161, "pivot_root": 155, "vhangup": 153, "ustat": 136, "sysfs": 139, "remap_file_pages": 216,
    "io_setup": 206, "io_submit": 209, "mq_open": 240, "shmget": 29, "semget": 64, "msgget": 68, "uselib": 134,
    "pkey_alloc": 330,
}  # fmt: skip
REFUSALS = {"EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"}


def attempt():
    if not ON_X86:
        return None
    answers = {name: call(number, -1, -1, -1, -1, -1, -1) for name, number in NOT_LISTED.items()}
    return [f"{name} {result or ''}{error}" for name, (result, error) in answers.items() if error not in REFUSALS]
