# What PowerShell on Linux would restart or power off the machine with that the lab runs on.
function Restart-Computer { throw 'a Windows-like host of a lab does not restart: it would be the machine that the lab runs on' }
function Stop-Computer { throw 'a Windows-like host of a lab is not powered off: it would be the machine that the lab runs on' }
# Functions that stand in for commands of Windows on a Windows-like host of a lab; run as a session of a real pwsh
# opens. The recordings that the replay answers from were made with these very functions.
function Get-WinEvent { param($LogName, $MaxEvents = 3)
  1..$MaxEvents | ForEach-Object { [pscustomobject]@{ PSTypeName = 'System.Diagnostics.Eventing.Reader.EventLogRecord'; RecordId = 1000 - $_; Id = 4104
    LogName = $LogName; LevelDisplayName = 'Information'; TimeCreated = [datetime]::new(2026, 11, 20, 12, 0, 0, [DateTimeKind]::Utc).AddMinutes(-$_)
    Message = if ($_ % 2) { "A certificate expires in $_ days" } else { 'Creating Scriptblock text' } } } }
function Get-EventLog { param($LogName) 1..3 | ForEach-Object { [pscustomobject]@{ Index = $_; EntryType = 'Information'; Source = 'EventLog'; Message = "The system uptime is $_ seconds" } } }
function Get-HotFix { 'KB5031356', 'KB5032189' | ForEach-Object { [pscustomobject]@{ Source = 'SERVER01'; Description = 'Update'; HotFixID = $_; InstalledOn = [datetime]'2026-10-01' } } }
function Get-Service { 'Spooler', 'WinRM' | ForEach-Object { [pscustomobject]@{ Name = $_; DisplayName = $_; Status = 'Running'; StartType = 'Automatic' } } }
function Set-Mailbox { param($Identity, $DisplayName) }
function Get-Mailbox { param($Identity) [pscustomobject]@{ Name = $Identity; DisplayName = 'Dan Park'; Alias = 'dan' } }
function Get-Process { param($Name, $Id) if ($Id) { Microsoft.PowerShell.Management\Get-Process -Id $Id } else { Microsoft.PowerShell.Management\Get-Process -Name ($Name -replace '^PowerShell$', 'pwsh') | Select-Object -First 1 } }
