"""What this machine has, and which parts of the course fit on it. Needs no GPU."""

import os
import platform
import sys
import textwrap

GIB = 2**30


def cores() -> int:
    """Cores that this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> int | None:
    """Bytes of main memory, or the container's limit where that is lower; None where the system does not say."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        with open("/sys/fs/cgroup/memory.max") as file:
            return min(total, int(file.read()))
    except (OSError, ValueError):  # no cgroup, or "max"
        return total


def gpus() -> list[dict]:
    """One {"name", "bytes", "capability", "bfloat16"} per CUDA device; empty without one. bfloat16 needs capability
    8.0.
    """
    import torch

    if not torch.cuda.is_available():
        return []
    devices = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [
        {"name": one.name, "bytes": one.total_memory, "capability": (one.major, one.minor), "bfloat16": one.major >= 8}
        for one in devices
    ]


def short(device="cpu") -> str:
    """The machine in a few words, for the head of a recording: "NVIDIA H200", "2 cores of Intel(R) Xeon(R) ...".

    `device` is what a run used, "cpu" or a CUDA device.
    """
    import torch

    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux, or a processor that does not say: the general name will do
    return f"{cores()} core{'s' * (cores() != 1)} of {name}"


def describe() -> str:
    """The facts above in plain words, a line each, and what of the course runs here."""
    import torch

    from course.lab.memory import what_fits

    lines = [
        f"Python {platform.python_version()} on {platform.system()} ({platform.machine()}), torch {torch.__version__}."
    ]
    size = memory()
    lines.append(
        f"Processor: {cores()} core{'s' * (cores() != 1)} here; torch uses {torch.get_num_threads()} of them. "
        + (f"Memory: {size / GIB:.1f} GiB." if size else "Memory: this system does not say.")
    )
    found = gpus()
    for gpu in found:
        dtype = "bfloat16" if gpu["bfloat16"] else "float16 (it has no bfloat16)"
        lines.append(
            f"GPU: {gpu['name']} with {gpu['bytes'] / GIB:.0f} GiB, mixed precision in {dtype}. "
            f"By the arithmetic of course.lab.memory: {what_fits(gpu['bytes'])}"
        )
    if not found and sys.platform == "darwin" and torch.backends.mps.is_available():
        lines.append("GPU: Apple's, which this course does not use: 4-bit layers and the timings are for CPU or CUDA.")
    elif not found:
        lines.append("GPU: none that torch can use.")
    lines.append(
        "What runs here: every week. The models of weeks 1 to 7 are small enough for one core"
        + (
            ", and the capstone can take a larger model from the hub on the GPU."
            if found
            else ", and the capstone uses the small base model that ships with the course."
        )
    )
    if size and size < 4 * GIB:
        lines.append("With this little memory, shut other notebooks down before you start the capstone.")
    return "\n".join(textwrap.fill(line, 96, subsequent_indent="    ") for line in lines)
