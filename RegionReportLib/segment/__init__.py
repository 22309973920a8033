"""From a volume to region masks: the built-in segmentation and learned back-ends behind one protocol."""
