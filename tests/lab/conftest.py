"""The small random base that the tests of qlora share."""

import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The folder of a random base; read it, never write to it."""
    from tests.lab import qlora_bench

    return qlora_bench.write_base(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def one_thread():
    """Sums are then added up in one order, here and in every process that a test starts."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
