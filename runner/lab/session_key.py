"""The engine's half of the session key exchange (MS-PSRP 3.2.5.4.4) with what Python has: RSA is one power.

Enough for an endpoint that makes a key; to encrypt or decrypt with it (AES) takes a library.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode

#: The head of a SIMPLEBLOB: version 2, CALG_AES_256, wrapped with CALG_RSA_KEYX (MS-PSRP 2.2.2.4).
_SIMPLE_BLOB = bytes.fromhex("0102000010660000 00a40000")
_EXPONENT, _MODULUS = slice(16, 20), slice(20, None)


def encrypted_session_key(public_key: str, key: bytes) -> str:
    """``key`` for the holder of ``public_key`` (base64 of a PUBLICKEYBLOB), as ENCRYPTED_SESSION_KEY has it.

    Padded as RFC 8017 7.2.1 says (PKCS #1 v1.5); the result is little-endian, as all numbers of the blob are.
    """
    blob = b64decode(public_key)
    exponent, modulus = (int.from_bytes(blob[part], "little") for part in (_EXPONENT, _MODULUS))
    size = (modulus.bit_length() + 7) // 8
    filling = bytes(1 + byte % 255 for byte in os.urandom(size - 3 - len(key)))
    padded = b"\x00\x02" + filling + b"\x00" + key
    wrapped = pow(int.from_bytes(padded, "big"), exponent, modulus)
    return b64encode(_SIMPLE_BLOB + wrapped.to_bytes(size, "little")).decode()
