"""Networks that can be trained: layers one after the other, and graphs of them."""

from scratchnet.models.cloning import clone_model
from scratchnet.models.functional import Functional
from scratchnet.models.model import Model
from scratchnet.models.sequential import Sequential
from scratchnet.saving import load_model, model_from_json

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json"]
