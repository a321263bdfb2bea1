"""What ships in the host, through the same hooks as everyone else."""
