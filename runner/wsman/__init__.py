"""Web Services for Management (MS-WSMV) over HTTP(S), asynchronous: what carries PSRP to Windows hosts."""
