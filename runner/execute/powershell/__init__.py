"""PowerShell steps over a runspace pool: requests, results, sessions, files."""
