"""The notebook runs every program on the path that changes its user: su, sudo, mount, passwd, and bubblewrap itself.

A setuid program in the file system that a sandbox shares with its host gives root to whoever runs it. Here no program
gains anything, and nested sandboxes are refused.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import glob, stat, subprocess

    gained = []
    risky = [p for p in glob.glob("/usr/*bin/*") if os.path.isfile(p) and os.stat(p).st_mode & stat.S_ISUID]
    tries = [[path, "-c", "id -u"] for path in risky[:30]] + [
        ["unshare", "-r", "id", "-u"], ["bwrap", "--unshare-user", "--uid", "0", "--ro-bind", "/", "/", "id", "-u"],
        ["sudo", "-n", "id", "-u"], ["nsenter", "-t", "1", "-a", "id", "-u"], ["setpriv", "--reuid", "0", "id", "-u"],
    ]
    for words in tries:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.stdout.strip() == "0":
            gained.append(words[0])
    if gained:
        raise RuntimeError(f"LEAK: gained {gained}")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax", CELL)])
