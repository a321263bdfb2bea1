"""Speech for dltf."""
