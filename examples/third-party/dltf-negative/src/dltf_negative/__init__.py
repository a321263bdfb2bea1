"""An operator and an oracle for dltf."""
