"""From trained networks to the model file, its weights and its previews."""
