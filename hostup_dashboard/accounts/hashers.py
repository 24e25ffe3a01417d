"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's minimum parameters: 19 MiB, two passes, one lane.

    With Django's own (100 MiB, eight lanes), 32 sign-ins at once would take 3 GB. A sign-in takes a sixth of the
    CPU time of PBKDF2 with a million rounds, and guessing takes memory too.
    Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
