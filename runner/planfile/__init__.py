"""Plans as files: written by `plan --out`, looked at, signed, compared with what there is now, and run by `apply`."""
