"""What a navigator must beat: nats per slot of held-out music by counting codes."""

import numpy as np

from noizestream.training.data.memory import Coded


def baselines(training: list[Coded], validation: list[Coded], codes: int) -> dict[str, float]:
    """Nats per slot of held-out music, all layers together, that a model must beat: `unigram`, how common a code is, and `bigram`,
    how often it follows the one before. Both count in the training music, every code once more than it occurs (Laplace)."""
    if not validation:
        return {}
    unigram = bigram = 0.0
    slots = sum(len(one.code) for one in validation)
    for v in range(validation[0].code.shape[1]):
        for genre in {one.genre for one in validation}:
            own = [one.code[:, v] for one in training if one.genre == genre]
            known = np.unique(np.concatenate(own))
            count = np.bincount(np.concatenate(own), minlength=codes) + 1.0
            total = count[known].sum()
            pairs: dict[tuple[int, int], int] = {}
            for row in own:
                for pair in zip(row[:-1].tolist(), row[1:].tolist(), strict=True):
                    pairs[pair] = pairs.get(pair, 0) + 1
            for one in validation:
                if one.genre == genre:
                    row = one.code[:, v]
                    plain = np.log(count[row] / total)
                    unigram -= float(plain.sum())
                    before = [(pairs.get((a, b), 0), a) for a, b in zip(row[:-1].tolist(), row[1:].tolist(), strict=True)]
                    # Backing off to how common a code is, as one more time that the code before was seen.
                    backed = [np.log((n + np.exp(p)) / count[a]) for (n, a), p in zip(before, plain[1:], strict=True)]
                    bigram -= float(plain[0] + sum(backed))
    return {"unigram": unigram / slots, "bigram": bigram / slots}
