"""The main job from import to roll-back on the sample shop: what is done, what is expected of it, how it is shown."""
