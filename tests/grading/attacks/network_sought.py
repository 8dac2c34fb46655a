"""The notebook asks the network for help: a web request, a name, a broadcast, a raw packet, the host by virtual socket.

An answer that is computed elsewhere, a submission that reports the secret cases, a program fetched at run time: all
need one connection. Here there is no interface but a loopback that leads nowhere.
"""

from tests.grading.attacks import Attack, answers, inside

CELL = inside("""
    import socket

    reached = []
    if len(socket.if_nameindex()) > 1:
        reached.append(f"interfaces {socket.if_nameindex()}")
    for family, kind, address in (
        (socket.AF_INET, socket.SOCK_STREAM, ("192.0.2.1", 80)),  # addresses that are kept for documentation
        (socket.AF_INET, socket.SOCK_DGRAM, ("198.51.100.1", 53)),
        (socket.AF_INET6, socket.SOCK_STREAM, ("2001:db8::1", 80)),
        (socket.AF_VSOCK, socket.SOCK_STREAM, None),  # how a virtual machine calls its host; made, never used
    ):
        try:
            with socket.socket(family, kind) as link:
                link.settimeout(2)
                if family == socket.AF_VSOCK:
                    reached.append("AF_VSOCK, which knows no network namespace")
                    continue
                link.connect(address)
                reached.append(f"{family.name} {address}")
        except OSError:
            pass
    try:
        reached.append(socket.getaddrinfo("example.org", 80))
    except OSError:
        pass
    if reached:
        raise RuntimeError(f"LEAK: reached {reached}")
""")
ATTACK = Attack(cells=answers(), extra=[("week1-log_softmax-check", CELL)])
