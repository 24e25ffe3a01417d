"""The API keys that the sandbox knows. They are not secret: they open nothing but the sandbox."""

from dataclasses import dataclass

ACCOUNT_A = "account-a"
ACCOUNT_B = "account-b"

READ_SUPPORT = "read:support"
WRITE_SUPPORT = "write:support"
READ_ACCOUNT = "read:account"
ALL_SCOPES = frozenset({READ_SUPPORT, WRITE_SUPPORT, READ_ACCOUNT})

FULL = "hostup-sandbox-full-000000000000a1b2"
COLLEAGUE = "hostup-sandbox-colleague-000000000000c3d4"
READ_ONLY = "hostup-sandbox-read-only-000000000000e5f6"
NO_ACCOUNT = "hostup-sandbox-no-account-000000000000a7b8"
NO_SUPPORT = "hostup-sandbox-no-support-000000000000c9d0"
REVOKED = "hostup-sandbox-revoked-000000000000e1f2"
OTHER = "hostup-sandbox-other-000000000000b3c4"


@dataclass(frozen=True, slots=True)
class Holder:
    """What HostUp knows about a key. `owner` is the sender's name on replies with this key."""

    key_name: str
    account: str
    owner: str
    scopes: frozenset[str]


# REVOKED is missing on purpose: a revoked key is as unknown as a wrong one.
HOLDERS: dict[str, Holder] = {
    FULL: Holder("FULL", ACCOUNT_A, "Jane Example", ALL_SCOPES),
    COLLEAGUE: Holder("COLLEAGUE", ACCOUNT_A, "Anna Exempel", ALL_SCOPES),
    READ_ONLY: Holder("READ_ONLY", ACCOUNT_A, "Rea Donly", frozenset({READ_SUPPORT, READ_ACCOUNT})),
    NO_ACCOUNT: Holder("NO_ACCOUNT", ACCOUNT_A, "Sven Låtsas", frozenset({READ_SUPPORT, WRITE_SUPPORT})),
    NO_SUPPORT: Holder("NO_SUPPORT", ACCOUNT_A, "Ekon Omi", frozenset({READ_ACCOUNT})),
    OTHER: Holder("OTHER", ACCOUNT_B, "Otto Annan", ALL_SCOPES),
}
