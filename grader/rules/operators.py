"""Which of torch's operators tell that a function ran, whatever name it was called by.

An operator is what torch runs below its Python names, such as `aten::_softmax`. Only those are
listed that nothing else runs: a linear layer is `aten::addmm`, as is `x @ w + b`, so that no
operator tells of it.
"""

from __future__ import annotations

_ATTENTION = (
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
    "_scaled_dot_product_attention_math",
)
_BATCH_NORM = (
    "native_batch_norm",
    "cudnn_batch_norm",
    "miopen_batch_norm",
    "_batch_norm_with_update",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
)
_CONVOLUTION = ("convolution", "_convolution", "mkldnn_convolution", "cudnn_convolution")

_OPERATORS: dict[str, tuple[str, ...]] = (
    {
        "softmax": ("_softmax", "_safe_softmax"),
        "softmin": ("_softmax",),
        "log_softmax": ("_log_softmax",),
        "cross_entropy": ("nll_loss_forward", "nll_loss2d_forward"),
        "nll_loss": ("nll_loss_forward", "nll_loss2d_forward"),
        "batch_norm": _BATCH_NORM,
        "instance_norm": _BATCH_NORM,
        "layer_norm": ("native_layer_norm",),
        "group_norm": ("native_group_norm",),
        "rms_norm": ("_fused_rms_norm",),
        "dropout": ("native_dropout", "_fused_dropout"),
        "max_pool1d": ("max_pool1d_with_indices", "max_pool2d_with_indices"),
        "max_pool2d": ("max_pool2d_with_indices", "mkldnn_max_pool2d"),
        "max_pool3d": ("max_pool3d_with_indices", "mkldnn_max_pool3d"),
        "adaptive_avg_pool1d": ("_adaptive_avg_pool2d",),
        "adaptive_avg_pool2d": ("_adaptive_avg_pool2d", "mkldnn_adaptive_avg_pool2d"),
        "adaptive_avg_pool3d": ("_adaptive_avg_pool3d",),
        "unfold": ("im2col",),
        "fold": ("col2im",),
        "embedding_bag": ("_embedding_bag", "_embedding_bag_forward_only"),
        "scaled_dot_product_attention": _ATTENTION,
        "multi_head_attention_forward": ("_native_multi_head_attention", *_ATTENTION),
        "lstm": ("mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn"),
        "gru": ("_cudnn_rnn", "miopen_rnn"),
        "lstm_cell": ("_thnn_fused_lstm_cell",),
        "gru_cell": ("_thnn_fused_gru_cell",),
        "cdist": ("_cdist_forward",),
        "matrix_exp": ("linalg_matrix_exp",),
        "inverse": ("linalg_inv_ex",),
        "inv": ("linalg_inv_ex",),
        "solve": ("_linalg_solve_ex",),
        "svd": ("_linalg_svd",),
        "eigh": ("_linalg_eigh",),
        "slogdet": ("_linalg_slogdet",),
        "det": ("_linalg_det",),
    }
    | {f"conv{n}d": _CONVOLUTION for n in (1, 2, 3)}
    | {f"conv_transpose{n}d": _CONVOLUTION for n in (1, 2, 3)}
)


def operators_of(function: str) -> frozenset[str]:
    """The operators that only this function of torch runs, and the one of its own name."""
    return frozenset({function, f"{function}_", *_OPERATORS.get(function, ())})
