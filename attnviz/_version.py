"""The version of the package; importing it imports nothing else."""

__version__ = "0.1.0"
