"""The notebook raises its own resource limits, its priority and its place in the order of the memory killer.

Soft limits can be raised by their owner, so a limit that was set soft is a suggestion. Here the limits are hard, and a
process without privileges can only lower them.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import resource

    gained = []
    for name in [name for name in dir(resource) if name.startswith("RLIMIT_")]:
        which = getattr(resource, name)
        soft, hard = resource.getrlimit(which)
        try:
            resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            gained += [name] if hard != resource.RLIM_INFINITY else []
        except (ValueError, OSError):
            pass
    for act in (lambda: os.nice(-20), lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))):
        try:
            act()
            gained.append("priority")
        except OSError:
            pass
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("-1000")
        gained.append("oom_score_adj")
    except OSError:
        pass
    if gained:
        raise RuntimeError(f"LEAK: gained {gained}")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
