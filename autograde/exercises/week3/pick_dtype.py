"""week3.pick_dtype: which 16 bits for which machine."""

import torch

from autograde.exercise import Case, Exercise, Misconception
from autograde.exercises.draws import integer


def _pick_probe(target, inputs):
    import torch

    capability = None if inputs["capability"] is None else tuple(inputs["capability"])
    asked = []

    def emulated(including_emulation=True):
        """As torch answers on any CUDA machine."""
        asked.append("is_bf16_supported")
        return capability is None or including_emulation or capability[0] >= 8

    def here(device=None):
        asked.append("get_device_capability")
        return capability

    # the machine that the inputs describe, so that an answer which asks it gives the same everywhere
    real = torch.cuda.is_bf16_supported, torch.cuda.get_device_capability
    torch.cuda.is_bf16_supported, torch.cuda.get_device_capability = emulated, here
    try:
        dtype = target(inputs["device_type"], capability)
    finally:
        torch.cuda.is_bf16_supported, torch.cuda.get_device_capability = real
    return {"dtype": dtype, "asked this machine": asked}


def _pick_cases(rng):
    def case(name, *capability, **options):
        device_type = "cuda" if capability else "cpu"
        return Case(name, {"device_type": device_type, "capability": list(capability) or None}, **options)

    yield case("a T4", 7, 5)
    yield case("a V100", 7, 0)
    yield case("a P100", 6, 0)
    yield case("an A100, the first Ampere", 8, 0)
    yield case("an RTX 3090", 8, 6)
    yield case("an L4", 8, 9)
    yield case("an H100", 9, 0)
    yield case("a B200", 10, 0)
    yield case("an RTX 5090", 12, 0)
    yield case("a card to come", integer(rng, 13, 20), integer(rng, 1, 4))
    yield case("a CPU")


def _table(inputs):
    """NVIDIA's table of compute capabilities: bfloat16 arithmetic from 8.0 on. A CPU's autocast takes bfloat16."""
    by_hardware = inputs["device_type"] == "cpu" or inputs["capability"][0] >= 8
    return {"dtype": torch.bfloat16 if by_hardware else torch.float16, "asked this machine": []}


def _pick(bfloat16, cpu=torch.bfloat16, otherwise=torch.float16):
    def pick_dtype(device_type, capability):
        if device_type == "cpu":
            return cpu
        return torch.bfloat16 if bfloat16(capability) else otherwise

    return pick_dtype


PICK_DTYPE = Exercise(
    id="week3.pick_dtype",
    title="Which 16 bits?",
    points=1,
    minutes=3,
    why="The wrong one may run all the same: slowly where it is emulated, or with numbers that leave float16's range.",
    oracle="NVIDIA's table of compute capabilities",
    cases=_pick_cases,
    probe=_pick_probe,
    expected=_table,
    misconceptions=(
        Misconception(
            "bfloat16 on a T4",
            _pick(lambda capability: True),
            "A T4 does not compute in bfloat16: what it cannot do is emulated, slowly. From which generation on can a "
            "GPU do it?",
        ),
        *(
            Misconception(
                "asks the machine that runs this",
                answer,
                "You ask the machine that runs this, not `capability`. And is_bf16_supported() counts emulation too: "
                "it says yes on a T4.",
            )
            for answer in (
                _pick(lambda capability: torch.cuda.is_bf16_supported()),
                _pick(lambda capability: torch.cuda.is_bf16_supported(including_emulation=False)),
                lambda device_type, capability: torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16,
                _pick(lambda capability: torch.cuda.get_device_capability()[0] >= 8),
            )
        ),
        Misconception(
            "float16 on every GPU",
            _pick(lambda capability: False),
            "You take float16 on every GPU. Newer ones compute in bfloat16 as fast, and it needs no loss scaling.",
        ),
        Misconception(
            "float16 everywhere",
            _pick(lambda capability: False, cpu=torch.float16),
            "float16 is not always the one: which formats do a CPU and a recent GPU compute in?",
        ),
        Misconception(
            "float16 on a CPU",
            _pick(lambda capability: capability >= (8, 0), cpu=torch.float16),
            "Right for every GPU. On a CPU, though, the 16-bit format of autocast is the other one.",
        ),
        Misconception(
            "float32 on a CPU",
            _pick(lambda capability: capability >= (8, 0), cpu=torch.float32),
            "Right for every GPU. On a CPU, mixed precision has 16 bits as well.",
        ),
        Misconception(
            "float32 where there is no bfloat16",
            _pick(lambda capability: capability >= (8, 0), otherwise=torch.float32),
            "An older GPU has a 16-bit format too: the one that needs loss scaling.",
        ),
        Misconception(
            "only after 8.0",
            _pick(lambda capability: capability > (8, 0)),
            "Your border leaves one card out: Ampere begins with the A100, which is (8, 0) itself.",
        ),
        Misconception(
            "any tensor cores",
            _pick(lambda capability: capability >= (7, 0)),
            "You draw the line at the first tensor cores. Those of Volta and Turing know float16 alone.",
        ),
        *(
            Misconception(
                "newer cards left out",
                _pick(bfloat16),
                "Cards whose number has two digits get the older format in your answer. Is it a list that ends too "
                "early, or a comparison of texts, in which 10.0 comes before 8.0?",
            )
            for bfloat16 in (
                lambda capability: capability[0] in (8, 9),
                lambda capability: f"{capability[0]}.{capability[1]}" >= "8.0",
            )
        ),
    ),
)
