"""An exception with lone surrogates, zero bytes, escapes and bidi controls, of a class with such a name."""


# ends: exception
# also: process
def unlearning(net, *loaders):
    raise type("Odd\ud800\x1b[31m\u202e", (Exception,), {})("\ud800\udfff\0\x1b]0;x\x07\u202e")
