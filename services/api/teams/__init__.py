"""Teams of a competition: who is in one, how people come in and leave, and how two become one."""
