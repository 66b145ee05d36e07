"""`make demo`: the main job from end to end on files of our own, with evidence."""
