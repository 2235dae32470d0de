Get-WinEvent -LogName PowerShellCore/Operational
