"""Make a namespace by clone3, whose arguments no filter can read."""
# weak: the profile refuses the calls

# gvisor: knows the call, and refuses namespaces to those without rights
import ctypes
import os

from tools import call


def attempt():
    arguments = ctypes.create_string_buffer(
        (0x10000000).to_bytes(8, "little") + bytes(24) + (17).to_bytes(8, "little") + bytes(48), 88
    )
    made, error = call(435, ctypes.addressof(arguments), 88)
    if made == 0:
        os._exit(0)
    return made if made > 0 or error != "ENOSYS" else None
