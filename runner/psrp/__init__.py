"""PowerShell Remoting Protocol (MS-PSRP): pools, pipelines, values and what carries them, over psrpcore."""
