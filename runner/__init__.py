"""Declarative runner for fleets: PowerShell, sh, bash and python playbooks over kept connections."""

__all__ = ["__version__"]

__version__ = "0.1.0"
