"""Public ids: a prefix and a ULID-like text, repeatable from a seed."""

from random import Random

# Crockford's base 32 in lower case: no i, l, o, u.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTERS = bytes(ord(ALPHABET[byte >> 3]) for byte in range(256))


def new_id(prefix: str, rng: Random) -> str:
    """Return a new id. `prefix` is tkt, tmsg, tatt or satt; the part after it always has 26 characters."""
    # Draws the letters that `rng.choices` would, in a sixth of the time: fresh tickets need seven hundred ids.
    return f"{prefix}_01" + rng.randbytes(24 * 8)[3::8].translate(_LETTERS).decode()
