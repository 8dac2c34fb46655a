"""The notebook reads its own memory, byte by byte through /proc/self/mem, for what the grader's process left there.

A fork keeps every page of its parent: strings that were freed, the secret that seeds were drawn from, other learners'
cells. Here the parent never had any of them, as no learner's code and no exercise is loaded in it.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import re, time

    # classes of one letter, so that a pattern is not what it looks for
    wanted = [rb"EXERCISE[S] = [(]", rb"### BEGIN S[O]LUTION", rb"name='[o]verflow'", rb"auto_s[c]ore", rb"--seed[ =]"]
    until = time.monotonic() + 20
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for start, end, rights in re.findall(r"^(\\w+)-(\\w+) (rw\\S+)", maps.read(), re.M):
            if time.monotonic() > until:
                break
            try:
                memory.seek(int(start, 16))
                text = memory.read(min(int(end, 16) - int(start, 16), 64 << 20))
            except (OSError, OverflowError, ValueError):
                continue
            for words in wanted:
                if found := re.search(words, text):
                    raise RuntimeError(f"LEAK: {text[max(0, found.start() - 60) : found.start() + 200]!r}")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
