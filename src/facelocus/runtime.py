"""ONNX graphs made ready to run by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from facelocus.errors import ModelFileError, UsageError, first_line
from facelocus.processes import cores

#: The provider that is everywhere.
CPU = "CPUExecutionProvider"


def open_session(
    path: Path, content: bytes, threads: int | None = None, provider: str = CPU, repeated: bool = True
) -> onnxruntime.InferenceSession:
    """Return a session of the graph that a file holds.

    Args:
        path: how messages call it.
        content: the file's bytes.
        threads: CPU threads one run uses; None: all that this process may use.
        provider: onnxruntime's name of what computes; the processor does what that cannot.
        repeated: inputs of the same shapes come again and again; memory is then laid out once for each.

    Raises:
        UsageError: threads is below 1, or this onnxruntime lacks the provider.
        ModelFileError: the content is not a graph.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads is {threads}: give 1 or more")
    available = onnxruntime.get_available_providers()
    if provider not in available:
        raise UsageError(f"this onnxruntime has no provider {provider!r}: choose one of {', '.join(available)}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its refusals arrive as exceptions; printed too they would be said twice
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = repeated
    # Given a number, onnxruntime leaves its threads unpinned; spinning would burn the other processes' time.
    options.intra_op_num_threads = threads or cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=list(dict.fromkeys([provider, CPU])))
    except Exception as error:  # onnxruntime's errors share no base of their own
        if content[:1] != b"\x08":  # an ONNX file opens with its version, field 1
            raise ModelFileError(f"{path}: is not an ONNX file: give a model file (.onnx)") from error
        raise ModelFileError(
            f"{path}: is cut short or damaged ({first_line(error)}): copy or export it again"
        ) from error
