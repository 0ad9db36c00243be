"""What stands beside a number: the processor, told apart from one of the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelocus.provenance import cpu_name


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("fpu avx avx2 fma", "A Processor with AVX2"),
        ("fpu avx2 avx512f avx512_bf16", "A Processor with AVX-512 BF16"),
        ("avx2 avx512f avx512_bf16 amx_bf16", "A Processor with AMX"),
        ("fpu sse2", "A Processor"),
    ],
)
def test_a_processor_is_named_with_its_widest_instructions(tmp_path: Path, flags: str, name: str) -> None:
    core = f"processor\t: 0\nmodel\t\t: 1\nmodel name\t: A Processor\nflags\t\t: {flags}\n\n"
    (tmp_path / "cpuinfo").write_text(2 * core)
    assert cpu_name(tmp_path / "cpuinfo") == name


def test_a_system_without_that_file_names_its_processor_itself(tmp_path: Path) -> None:
    assert cpu_name(tmp_path / "none") == cpu_name(tmp_path / "nor this")
    assert " with " not in cpu_name(tmp_path / "none")
