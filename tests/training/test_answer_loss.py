from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import set_seed
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from harness.models.adapters import attach_new_adapter
from harness.models.load import LoadedModel
from harness.training.answer_loss import AnswerLossTrainer

# Prompts of 5, 2 and 3 tokens; answers of 2, 4 and 1: 7 of 17 tokens carry loss, and 1 + 0 + 2 positions are padding.
ROWS = [([5, 6, 7, 8, 9, 10, 11], 5), ([12, 13, 14, 15, 16, 17], 2), ([18, 19, 20, 21], 3)]
BATCH = [{"input_ids": ids, "labels": [-100] * prompt + ids[prompt:]} for ids, prompt in ROWS]


class SmallLossTrainer(AnswerLossTrainer):
    most_logits = 0


@pytest.fixture(scope="module")
def loaded(load_tiny: Callable[[], LoadedModel]) -> LoadedModel:
    """The tiny model with an adapter that does something."""
    loaded = load_tiny()
    set_seed(17)
    attach_new_adapter(loaded, {"r": 4, "target_modules": "all-linear", "init_lora_weights": False})
    return loaded


@pytest.fixture
def trainer_of(loaded: LoadedModel, tmp_path: Path) -> Callable[[type[SFTTrainer]], SFTTrainer]:
    def make(kind: type[SFTTrainer]) -> SFTTrainer:
        settings = SFTConfig(
            output_dir=str(tmp_path),
            use_cpu=True,
            bf16=False,
            max_length=None,
            gradient_checkpointing=False,
            dataset_kwargs={"skip_prepare_dataset": True},
            report_to="none",
        )
        rows = Dataset.from_list(BATCH)
        return kind(model=loaded.model, args=settings, train_dataset=rows, processing_class=loaded.tokenizer)

    return make


def loss_and_gradients(trainer: SFTTrainer, items: int | None) -> tuple[float, torch.Tensor, int]:
    """The loss of one batch, its gradient, and over how many rows the vocabulary was projected by the model itself."""
    seen: list[int] = []
    head = trainer.model.get_output_embeddings()
    hook = head.register_forward_hook(lambda module, given, out: seen.append(out.shape[:-1].numel()))
    trainer.model.train()
    trainer.model.zero_grad()
    batch = trainer.data_collator(BATCH)
    loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=items)
    loss.backward()
    hook.remove()
    gradients = [weight.grad.flatten() for weight in trainer.model.parameters() if weight.grad is not None]
    return loss.item(), torch.cat(gradients), sum(seen)


@pytest.mark.parametrize("items", [None, 20])
def test_the_loss_and_its_gradient_are_those_of_trl(trainer_of, items: int | None) -> None:
    ours, gradient, projected = loss_and_gradients(trainer_of(AnswerLossTrainer), items)
    theirs, expected, _ = loss_and_gradients(trainer_of(SFTTrainer), items)
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert torch.allclose(gradient, expected, rtol=1e-4, atol=1e-6)
    assert gradient.abs().max() > 1e-3
    assert projected == 7  # and not all 3 x 7 positions


def test_the_loss_is_that_of_the_answers_tokens_one_by_one(trainer_of, loaded: LoadedModel) -> None:
    trainer, total = trainer_of(AnswerLossTrainer), 0.0
    loss, _, _ = loss_and_gradients(trainer, None)
    loaded.model.eval()
    with torch.inference_mode():
        for ids, prompt in ROWS:
            log_probs_TV = loaded.model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
            total -= sum(float(log_probs_TV[at - 1, ids[at]]) for at in range(prompt, len(ids)))
    assert loss == pytest.approx(total / 7, rel=1e-5)


def test_too_many_logits_are_left_to_trl_which_holds_fewer_at_once(trainer_of) -> None:
    ours, _, projected = loss_and_gradients(trainer_of(SmallLossTrainer), None)
    assert projected == 0
    assert ours == pytest.approx(loss_and_gradients(trainer_of(AnswerLossTrainer), None)[0], rel=1e-5)


def test_a_model_is_as_it_was_afterwards(trainer_of, loaded: LoadedModel) -> None:
    loss_and_gradients(trainer_of(AnswerLossTrainer), None)
    assert loaded.model(input_ids=torch.tensor([[5, 6, 7]])).logits.shape[:2] == (1, 3)
