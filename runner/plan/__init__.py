"""Playbook and inventory to a plan: a DAG of steps, each on its hosts."""
