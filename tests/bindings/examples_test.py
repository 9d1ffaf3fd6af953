"""The examples in bindings/examples run, and do what they show."""

import difflib
import inspect
import json
import pathlib

import pytest
import torch
import torchvision

import checkpoint_features
import lightly_after
import lightly_before
import lightning_simsiam
import simsiam
from tests.bindings import run_pytest
from tests.trainers import training_run


def test_simsiam_learns_to_print(capsys):
    encoder, predictor = simsiam.main(steps=3, width=64, batch=16, side=8)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(-1 <= float(line.split("loss ")[1].split(",")[0]) <= 1
               for line in lines)
    assert encoder.fc[0].weight.grad.abs().sum() > 0
    assert predictor[0].weight.grad.abs().sum() > 0


def test_simsiam_is_forty_lines():
    body = inspect.getsource(simsiam).split('"""', 2)[2]
    code = [line for line in body.splitlines()
            if line.strip() and not line.strip().startswith(("#", "import",
                                                             "from"))]
    assert len(code) <= 40


def source_lines(module):
    return inspect.getsource(module).splitlines()[1:]  # but the docstring


def test_lightly_differs_in_three_lines():
    diff = list(difflib.ndiff(source_lines(lightly_before),
                              source_lines(lightly_after)))
    assert sum(line.startswith("+ ") for line in diff) == 3
    assert sum(line.startswith("- ") for line in diff) == 3


def test_lightly():
    torch.manual_seed(0)
    batches = torch.randn(3, 2, 8, 3, 32, 32)
    before, after = [], []
    for module, losses in ((lightly_before, before), (lightly_after, after)):
        torch.manual_seed(1)
        losses += module.train(batches)
    # Both start from the same weights; two views of an image differ more from
    # each other than the closest of two images' say: other losses.
    assert len(before) == len(after) == 3
    assert all(-1 <= loss <= 1 for loss in before + after)
    assert before != after


def test_lightning(tmp_path):
    torch.manual_seed(0)
    images = torch.utils.data.TensorDataset(*torch.randn(2, 16, 3, 32, 32))
    loader = torch.utils.data.DataLoader(images, batch_size=8)
    options = dict(accelerator="cpu", logger=False, enable_progress_bar=False,
                   default_root_dir=tmp_path)
    model, trainer = lightning_simsiam.train(loader, width=16, max_epochs=2,
                                             **options)
    assert model.loss.step == 4
    assert -1 <= trainer.callback_metrics["loss"] <= 1
    checkpoint, = tmp_path.rglob("*.ckpt")
    again = lightning_simsiam.SimSiam.load_from_checkpoint(checkpoint, width=16)
    assert again.loss.step == 4  # a resumed run goes on with its pairings


def test_lightly_loss_is_ours_without_guidance():
    # selection="none" is the loss that the example had before.
    from lightly.loss import NegativeCosineSimilarity
    import guided_stop_gradient as gsg
    import guided_stop_gradient.torch
    p0, p1, z0, z1 = torch.randn(4, 8, 16)
    criterion = NegativeCosineSimilarity()
    expected = 0.5 * (criterion(p0, z1) + criterion(p1, z0))
    plain = gsg.torch.GuidedStopGradientLoss(selection="none")
    assert plain(p0, p1, z0, z1).item() == pytest.approx(expected.item(),
                                                         abs=1e-6)


@pytest.mark.parametrize("name, stem", [
    ("resnet18", "imagenet"), ("resnet50", "imagenet"), ("resnet18", "small")])
def test_state_dicts_of_torchvision(tmp_path, name, stem):
    torch.manual_seed(0)
    network = getattr(torchvision.models, name)()
    network.fc = torch.nn.Identity()
    if stem == "small":
        network.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
        network.maxpool = torch.nn.Identity()
    torch.save(network.state_dict(), tmp_path / "state.pt")
    loaded = checkpoint_features.load_backbone(tmp_path / "state.pt", stem)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(images), network.eval()(images))


@pytest.mark.parametrize("stem, stride", [
    ("imagenet", 4), ("small", 1), ("small_stride2", 2)])
def test_a_convnexts_state_dict(tmp_path, stem, stride):
    torch.manual_seed(0)
    network = torchvision.models.convnext_tiny(layer_scale=1)
    if stem == "imagenet":
        network.features[0][0] = torch.nn.Conv2d(1, 96, 4, stride=4)
    else:
        network.features[0][0] = torch.nn.Conv2d(1, 96, 3, stride=stride,
                                                 padding=1)
    network.classifier[2] = torch.nn.Identity()
    torch.save(network.state_dict(), tmp_path / "state.pt")
    loaded = checkpoint_features.load_backbone(tmp_path / "state.pt", stem)
    images = torch.randn(2, 1, 32, 40)
    with torch.no_grad():
        assert torch.equal(loaded(images), network.eval()(images))


def test_a_transformers_state_dict(tmp_path):
    torch.manual_seed(0)
    network = torchvision.models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=12, num_heads=3,
        hidden_dim=192, mlp_dim=768)
    network.conv_proj = torch.nn.Conv2d(1, 192, 8, stride=8)
    network.heads = torch.nn.Identity()
    torch.save(network.state_dict(), tmp_path / "state.pt")
    loaded = checkpoint_features.load_backbone(tmp_path / "state.pt")
    images = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(loaded(images), network.eval()(images))


def read_images(folder, kind):
    """[N, 1, 28, 28] in 0..1 and labels, of a data set in MNIST's layout."""
    read = torchvision.datasets.mnist.read_image_file
    images = read(f"{folder}/{kind}-images-idx3-ubyte")[:, None] / 255
    labels = torchvision.datasets.mnist.read_label_file(
        f"{folder}/{kind}-labels-idx1-ubyte")
    return images, labels.numpy()


def test_a_run_of_the_trainer():
    data, output = training_run.small_data(520, 200), training_run.new_folder()
    done = training_run.run(*training_run.QUICK, f"--data_dir={data}",
                            f"--output_dir={output}")
    assert done.returncode == 0, done.stderr
    run = pathlib.Path(output)
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    network = checkpoint_features.load_backbone(run / "checkpoint-last.pt",
                                                config["stem"])
    train, train_labels = read_images(data, "train")
    test, test_labels = read_images(data, "t10k")
    mean, std = train.mean(), train.std()
    rows = [checkpoint_features.features(network, (images - mean) / std)
            for images in (train, test)]
    classifier = checkpoint_features.nearest_neighbors(rows[0], train_labels,
                                                        k=20)
    top1 = 100 * classifier.score(rows[1], test_labels)
    metrics = (run / "metrics.jsonl").read_text(encoding="utf-8")
    ours = json.loads(metrics.splitlines()[-1])["knn_top1"]
    # The trainer weighs neighbors by exp(cosine / 0.2), scikit-learn by
    # 1 / (1 - cosine): 200 test images of half a percent each.
    assert top1 == pytest.approx(ours, abs=5)
    assert top1 > 40


if __name__ == "__main__":
    run_pytest.main(__file__)
