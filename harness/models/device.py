"""Which processor a model runs on, and in which number format."""

import torch

from harness.errors import ModelError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(requested: str) -> torch.device:
    """CUDA, then Apple's MPS, then the CPU for `auto`; otherwise what was asked for.

    Raises:
        ModelError: The device asked for is not here.
    """
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if here[name]))
    if not here.get(requested, False):
        available = ", ".join(name for name, is_here in here.items() if is_here)
        raise ModelError(
            f"device {requested} is not available on this machine; available: {available}. Set `device: auto`."
        )
    return torch.device(requested)


def choose_dtype(requested: str, device: torch.device) -> torch.dtype:
    """For `auto`: bf16 on CUDA and on a CPU that computes it natively, fp32 elsewhere; otherwise what was asked for."""
    if requested != "auto":
        return DTYPES[requested]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported():  # pyright: ignore[reportPrivateUsage]
        return torch.bfloat16
    return torch.float32


def dtype_name(dtype: torch.dtype) -> str:
    """`bfloat16` for `torch.bfloat16`."""
    return str(dtype).removeprefix("torch.")
