"""What one submission may use of the machine."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Limits:
    """Of one kernel with all that it starts. Seconds are of wall time unless they are named cpu_s."""

    memory_mb: int = 3072  # beyond what the zygote has imported
    processes: int = 96  # threads count; torch, IPython and a DataLoader take some thirty
    cpu_s: int = 600
    file_mb: int = 128  # of one file
    files_mb: int = 256  # of /tmp, and as much of /dev/shm

    def as_dict(self) -> dict:
        return asdict(self)
