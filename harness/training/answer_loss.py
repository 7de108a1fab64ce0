"""The loss of the answers' tokens, with the vocabulary projected for those positions only."""

from typing import Any

import torch
from trl.trainer.sft_trainer import SFTTrainer

from harness.training.examples import IGNORED


class AnswerLossTrainer(SFTTrainer):
    """TRL's trainer, with a quicker loss where there is no GPU.

    Without Triton, TRL projects every position of a batch onto the vocabulary, prompts and padding included, once
    forward and again backward, there in fp32. Only the answers' positions are needed, often a fifth of them. Above
    `most_logits` (1 GiB in fp32), TRL's way takes less memory, and is taken.
    """

    most_logits = 1 << 28

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Sum of the answer tokens' nats over `num_items_in_batch`, or over their own number where that is None."""
        labels_BT = inputs["labels"][:, 1:]
        learned_BT = labels_BT != IGNORED
        if return_outputs or not self._is_quicker(int(learned_BT.sum())):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        rest = {name: value for name, value in inputs.items() if name != "labels"}

        def answers_only(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            hidden_BTD, *others = given
            # The last position predicts nothing; virtual tokens of a prompt-learning adapter stand before the first.
            predicting_BTD = hidden_BTD[:, -learned_BT.shape[1] - 1 : -1]
            return (predicting_BTD[learned_BT], *others)

        hook = self._head().register_forward_pre_hook(answers_only)
        try:
            logits_NV = model(**rest, use_cache=False).logits
        finally:
            hook.remove()
        total = torch.nn.functional.cross_entropy(logits_NV.float(), labels_BT[learned_BT], reduction="sum")
        count = learned_BT.sum() if num_items_in_batch is None else num_items_in_batch
        return total / torch.as_tensor(count, device=total.device).clamp(min=1)

    def _is_quicker(self, answer_tokens: int) -> bool:
        on_gpu = self.args.device.type in {"cuda", "xpu"}
        alone = self.accelerator.num_processes == 1
        logits = answer_tokens * int(self._head().weight.shape[0])
        return not on_gpu and alone and not self.aux_loss_enabled and logits <= self.most_logits

    def _head(self) -> Any:
        model: Any = self.model
        return model.get_output_embeddings()
