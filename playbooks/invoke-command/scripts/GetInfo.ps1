[pscustomobject]@{
  ComputerName = [Environment]::MachineName
  PSVersion = $PSVersionTable.PSVersion
  Services = @(Get-Service | Select-Object Name, Status)
  HotFixes = @(Get-HotFix)
  Processors = [Environment]::ProcessorCount
}
