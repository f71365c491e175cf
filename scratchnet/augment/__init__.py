"""Augmentation: pictures are moved, turned and recoloured a little each time they are trained on, at random.

What happens to a picture follows from three numbers alone, by a counter-based generator (Philox): the key of the run,
the number of the pass over the data, and the picture's own number. It does not depend on the threads, on the batch that
the picture is in, or on the order; a resumed run needs to remember the key only.

`augmentation.py` is what all augmentations share, `augment.py` the one that comes with the package, `parameters.py`
their random numbers and matrices.
"""

from scratchnet.augment.augment import Augment
from scratchnet.augment.augmentation import Augmentation, check_pictures
from scratchnet.augment.parameters import USES, affine, draws, key_of

__all__ = ["USES", "Augment", "Augmentation", "affine", "check_pictures", "draws", "key_of"]
