"""Cats and dogs from folders with ImageDataGenerator, as tutorials of the years before Keras 3 have it."""

import os

import numpy as np
from tensorflow.keras.layers import Activation, Conv2D, Dense, Flatten, MaxPooling2D
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.image import ImageDataGenerator, array_to_img, img_to_array, load_img

rng = np.random.default_rng(0)
for part, number in [("train", 12), ("validation", 4)]:
    for kind, light in [("cats", 60), ("dogs", 190)]:
        os.makedirs(f"data/{part}/{kind}")
        for i in range(number):
            picture = rng.integers(light - 50, light + 50, (20, 24, 3))
            array_to_img(picture, scale=False).save(f"data/{part}/{kind}/{i}.png")

img_width, img_height = 16, 16
train_datagen = ImageDataGenerator(rescale=1.0 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)
train_generator = train_datagen.flow_from_directory(
    "data/train", target_size=(img_width, img_height), batch_size=8, class_mode="binary", seed=1
)
validation_generator = test_datagen.flow_from_directory(
    "data/validation", target_size=(img_width, img_height), batch_size=4, class_mode="binary", shuffle=False
)

model = Sequential()
model.add(Conv2D(4, (3, 3), input_shape=(img_width, img_height, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(1))
model.add(Activation("sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
history = model.fit(train_generator, epochs=4, validation_data=validation_generator, verbose=0)
losses = history.history["loss"]

assert train_generator.class_indices == {"cats": 0, "dogs": 1}
assert list(validation_generator.classes) == [0] * 4 + [1] * 4
assert model.predict(validation_generator, verbose=0).shape == (8, 1)
one = img_to_array(load_img("data/train/cats/0.png", target_size=(img_width, img_height)))
assert one.shape == (16, 16, 3)
assert one.max() > 1
assert model.predict(one[None] / 255.0, verbose=0).shape == (1, 1)
