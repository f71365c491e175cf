"""What `model.fit` does, from the outside in.

`compiled` has compile, `measuring` evaluate and predict, `trainable` fit; `loop` goes through epochs and batches, which
`passes` cuts the data into; `step` is one step of training: forward, loss, backward, update. `sources` makes of what
`fit` is given a source of batches: `data` has those of arrays in memory, `streams` those that come one by one. `checks`
names what is wrong with them, `outputs` says what belongs to which of several outputs, and `interrupt` lets Ctrl-C end
a run after a whole step.
"""
