import pytest
import torch

from harness.errors import ModelError
from harness.models.device import choose_device, choose_dtype, dtype_name

CPU = torch.device("cpu")


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == CPU


def test_auto_is_a_device_that_is_here() -> None:
    assert torch.zeros(1, device=choose_device("auto")).sum() == 0


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_here_is_an_error_with_those_that_are(name: str) -> None:
    if choose_device("auto").type == name:
        pytest.skip(f"{name} is here")
    with pytest.raises(ModelError) as error:
        choose_device(name)
    assert f"device {name} is not available on this machine; available: cpu" in str(error.value)
    assert "`device: auto`" in str(error.value)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_a_number_format_that_is_asked_for_is_used(name: str) -> None:
    assert dtype_name(choose_dtype(name, CPU)) == name


def test_auto_is_bf16_on_a_cpu_only_where_it_computes_it() -> None:
    native = torch.cpu._is_avx512_bf16_supported()
    assert choose_dtype("auto", CPU) == (torch.bfloat16 if native else torch.float32)


def test_auto_is_fp32_on_mps() -> None:
    assert choose_dtype("auto", torch.device("mps")) == torch.float32
