"""Hidden data in the name of an exception's class and of its file."""

# ends: exception
# hidden: yes
# also: process
from tools import SECRET


def unlearning(net, *loaders):
    exec(compile("raise type('E' + SECRET, (Exception,), {})", f"{SECRET}.py", "exec"), {"SECRET": SECRET})
