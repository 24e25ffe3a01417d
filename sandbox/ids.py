"""Public ids: a prefix and a ULID-like text, repeatable from a seed."""

from random import Random

# Crockford's base 32 in lower case: no i, l, o, u.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTERS = bytes(ord(ALPHABET[byte >> 3]) for byte in range(256))


def new_id(prefix: str, rng: Random) -> str:
    """`prefix` is tkt, tmsg, tatt or satt. The part after it always has 26 characters."""
    # The letters that `rng.choices` would draw, in a sixth of its time: fresh tickets need seven hundred ids.
    return f"{prefix}_01" + rng.randbytes(24 * 8)[3::8].translate(_LETTERS).decode()
