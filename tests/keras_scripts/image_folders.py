"""Pictures from folders with image_dataset_from_directory, and Rescaling as the first layer."""

import os

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
for kind, light in [("a", 60), ("b", 130), ("c", 200)]:
    os.makedirs(f"pictures/{kind}")
    for i in range(8):
        keras.utils.save_img(f"pictures/{kind}/{i}.png", rng.integers(light - 40, light + 40, (16, 16, 3)), scale=False)

options = dict(validation_split=0.25, seed=123, image_size=(16, 16), batch_size=6)
train_ds = keras.utils.image_dataset_from_directory("pictures", subset="training", **options)
val_ds = keras.utils.image_dataset_from_directory("pictures", subset="validation", **options)
class_names = train_ds.class_names

model = keras.Sequential(
    [
        layers.Input(shape=(16, 16, 3)),
        layers.Rescaling(1.0 / 127.5, offset=-1),
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(len(class_names)),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(0.02),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(train_ds, validation_data=val_ds, epochs=4, verbose=0)
losses = history.history["loss"]

assert class_names == ["a", "b", "c"]
assert model.predict(val_ds, verbose=0).shape == (6, 3)
for images, labels in train_ds:
    assert images.shape == (6, 16, 16, 3)
    assert labels.shape == (6,)
