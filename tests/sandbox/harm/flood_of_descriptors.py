"""As many descriptors as one may have, sent to oneself through sockets."""

# ends: exception | scored
import array
import os
import socket


def unlearning(net, *loaders):
    kept = []
    while True:
        one, other = socket.socketpair()
        kept += [one, other]
        one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [os.dup(0)]))])
