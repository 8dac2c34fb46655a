"""The notebook makes system calls in the 32-bit way of the same processor, by a few bytes of machine code.

A filter that knows the 64-bit numbers alone lets 32-bit calls pass, under other numbers. Here a call of another
architecture ends the thread that makes it.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import ctypes, mmap, platform

    if platform.machine() == "x86_64":
        # push rbx; mov eax, 26 (ptrace); mov ebx, 0 (trace me); int 0x80; pop rbx; ret
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(bytes.fromhex("53b81a000000bb00000000cd805bc3"))
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        if call() == 0:
            raise RuntimeError("LEAK: ptrace by a 32-bit call")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
