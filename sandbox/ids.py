"""Public ids: a prefix and a ULID-like text, repeatable from a seed."""

from random import Random

# Crockford's base 32 in lower case: no i, l, o, u.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str, rng: Random) -> str:
    """`prefix` is tkt, tmsg, tatt or satt. The part after it always has 26 characters."""
    return f"{prefix}_01" + "".join(rng.choices(ALPHABET, k=24))
