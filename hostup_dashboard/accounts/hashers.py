"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id as OWASP has it at the least: 19 MiB, two passes, one lane.

    Django's own figures (100 MiB, eight lanes) would let 32 sign-ins at once take 3 GB. A sign-in takes a sixth of
    the processor's time that PBKDF2 with a million rounds did, while guessing takes memory too.
    Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
