"""Planted bugs: a test that finds nothing proves nothing until it was seen to find what is there.

There are two kinds, for two questions:

* Does the *oracle* see what is wrong?  `oracle` has the released engine with one defect for each
  property, and a fixed scenario in which that property, and no other that does not follow from
  it, must be violated.
* Do the *stories* come to what could be wrong?  `planted` has `recon` with one defect each, such
  as somebody could make who works on it.  ``recon selftest`` (`search`, `cli`) draws the stories
  of ``recon fuzz`` until one fails, and wants each defect to be found by a property that it
  breaks, within a stated number of stories, of which the sound engine passes each.

Nothing is changed but the instances of one node in one process of a run: what is planted in one
engine is in no other.
"""
