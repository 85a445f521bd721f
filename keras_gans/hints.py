"""Names for what functions take and give, for type hints."""

from typing import TypeAlias

import tensorflow as tf

Tensor: TypeAlias = tf.Tensor
# A scalar loss, and the further curves that are reported with it.
Loss: TypeAlias = tuple[Tensor, dict[str, Tensor]]
