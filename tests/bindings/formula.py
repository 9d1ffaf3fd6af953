"""The loss as anyone would write it in torch, for autograd to differentiate."""

import torch
import torch.nn.functional as F

PAIRS = ((0, 2), (0, 3), (1, 2), (1, 3))


def distances(z, distance):
    """[4, N], between views of different images of z11, z12, z21, z22."""
    if distance == "cosine":
        return torch.stack([1 - F.cosine_similarity(z[a], z[b], dim=1, eps=1e-8)
                            for a, b in PAIRS])
    squared = torch.stack([((z[a] - z[b])**2).sum(1) for a, b in PAIRS])
    return squared if distance == "squared_euclidean" else squared.sqrt()


def choose(z, distance, selection):
    """pair [N]; not for selection="random"."""
    if selection == "none":
        return torch.full((len(z[0]),), 4)
    d = distances(z, distance)
    return d.argmin(0) if selection == "min" else d.argmax(0)


def _d(p, z):
    """D(p, z) of the four views."""
    return [-F.cosine_similarity(p[v], z[v ^ 1].detach(), dim=1, eps=1e-8)
            for v in range(4)]


def loss(p, z, pair):
    """The mean over rows, given the pair of each."""
    d = _d(p, z)
    guided = (torch.where(pair // 2 == 0, d[0], d[1])
              + torch.where(pair % 2 == 0, d[2], d[3])) / 2
    return torch.where(pair == 4, sum(d) / 4, guided).mean()


def soft_loss(p, z, distance, temperature):
    """The expectation of loss over a pair with probability softmax(-d / T)."""
    q = (-distances(z, distance).detach() / temperature).softmax(0)
    d = _d(p, z)
    return sum(q[2 * a + b] * (d[a] + d[2 + b]) / 2
               for a in (0, 1) for b in (0, 1)).mean()


def of_rows(views, pairing):
    """p11, p12, p21, p22 (and z likewise) from p1, p2 (and z1, z2)."""
    first, second = views
    return [first, second, first[pairing], second[pairing]]
