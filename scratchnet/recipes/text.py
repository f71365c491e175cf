"""Results as text, for those who have a terminal only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def confusion_text(matrix: np.ndarray, names: Sequence[str]) -> str:
    """A confusion matrix as a table of at most 80 columns for ten classes.

    Each row is a true class, each column the class of that number as predicted; a dot stands for 0. The last column is
    the recall, the share of the class's pictures that were recognized.

    Args:
        matrix: (K, K) counts, matrix[t, p] of true class t and predicted class p.
        names: of the K classes.

    Raises:
        ValueError: the matrix is not (K, K) for K names.
    """
    matrix, K = np.asarray(matrix), len(names)
    if matrix.shape != (K, K):
        raise ValueError(f"confusion_text: expected a matrix of shape ({K}, {K}), one row a name, got {matrix.shape}.")
    labels = [f"{number:2} {name}" for number, name in enumerate(names)]
    left, width = max(map(len, (*labels, "true class"))), max(4, len(str(matrix.max())) + 1)
    lines = [
        f"{'true class':{left}} predicted class",
        f"{'':{left}}{''.join(f'{k:{width}}' for k in range(K))}  recall",
    ]
    for label, row, right in zip(labels, matrix, np.diag(matrix)):
        cells = "".join(f"{count or '.':>{width}}" for count in row)
        lines.append(f"{label:{left}}{cells}  {right / max(row.sum(), 1):6.1%}")
    return "\n".join(lines)


def most_confused(matrix: np.ndarray, names: Sequence[str]) -> str:
    """A sentence that names the two classes which are taken for each other most often.

    Args:
        matrix: (K, K) counts, matrix[t, p] of true class t and predicted class p.
        names: of the K classes.
    """
    matrix = np.asarray(matrix)
    both = np.triu(matrix + matrix.T, 1)
    if not both.any():
        return "No class was taken for another."
    a, b = (int(k) for k in np.unravel_index(both.argmax(), both.shape))
    return (
        f"Most often confused: {names[a]} and {names[b]}. {matrix[a, b]} of {matrix[a].sum()} pictures of class "
        f"{names[a]} were taken for {names[b]}, and {matrix[b, a]} of {matrix[b].sum()} the other way."
    )
