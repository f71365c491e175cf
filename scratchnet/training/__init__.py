"""What `model.fit` does, from the outside in.

`compiled` has compile, `trainable` fit, evaluate and predict; `loop` goes through epochs and batches; `step` is one
step of training: forward, loss, backward, update. `data` hands out the batches, `checks` names what is wrong with them,
and `interrupt` lets Ctrl-C end a run after a whole step.
"""
