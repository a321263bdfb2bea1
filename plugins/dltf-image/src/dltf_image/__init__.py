"""Pictures for dltf: seeds, mutation operators, distances and previews."""
