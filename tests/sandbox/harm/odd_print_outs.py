"""Print-outs of zero bytes, surrogates, sequences that steer a terminal, and a character cut in two at the end."""

# ends: scored
# also: process
import os


def unlearning(net, *loaders):
    for descriptor in (1, 2):
        os.write(descriptor, bytes(range(256)) * 40 + b"\0\xed\xa0\x80\x1b]0;x\x07\x1b[2J\xe2\x80\xae\r\n")
        os.write(descriptor, "\u20ac".encode()[:2])
