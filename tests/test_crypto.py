"""Stored keys can be read only for their own agent's rows, and only with the keys that encrypted them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets import crypto

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
OLD, NEW = bytes(range(1, 33)), bytes(range(101, 133))
secrets = st.text(st.characters(codec="utf-8"), max_size=200)


@given(secret=secrets, owner=st.text(max_size=20))
def test_what_is_encrypted_comes_back(secret, owner):
    assert crypto.decrypt(crypto.encrypt(secret, owner=owner), owner=owner) == secret


def test_what_was_encrypted_before_an_upgrade_is_read_after_it():
    token = "1.test.kTBt388iCmZKvxOw.slEpVvnslzIlTCiNjoPLSZmg5ny99RMpJFGAUqtRAA=="
    assert crypto.decrypt(token, owner="API key of user 1") == "A key of today."


def test_a_token_is_useless_in_another_row():
    token = crypto.encrypt("secret", owner="user 1")
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(token, owner="user 2")


def test_the_same_secret_never_gives_the_same_token():
    assert crypto.encrypt("secret", owner="a") != crypto.encrypt("secret", owner="a")


def test_a_token_names_version_key_nonce_and_ciphertext():
    version, kid, nonce, ciphertext = crypto.encrypt("secret", owner="a").split(".")
    assert (version, kid, len(nonce), len(ciphertext)) == ("1", "test", 16, 32)


@given(data=st.data())
def test_a_changed_token_does_not_decrypt(data):
    token = crypto.encrypt("secret", owner="a")
    at = data.draw(st.integers(0, len(token) - 1))
    changed = (
        token[:at] + data.draw(st.characters(codec="utf-8").filter(lambda c: c != token[at])) + token[at + 1 :]
    )
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(changed, owner="a")


@pytest.mark.parametrize("secret", ["secret", "secrets", "secrets!"])
def test_there_is_one_way_to_write_a_token(secret):
    """Base64 decoders ignore the last bits before the padding, and characters outside the alphabet."""
    token = crypto.encrypt(secret, owner="a")
    text = token.rstrip("=")
    last = ALPHABET[ALPHABET.index(text[-1]) ^ 1]
    for changed in (text[:-1] + last + token[len(text) :], f"{token}\n", f"{token[:-5]}!{token[-5:]}"):
        with pytest.raises(crypto.Unreadable):
            crypto.decrypt(changed, owner="a")


@given(token=st.text())
def test_no_text_is_taken_for_a_token(token):
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(token, owner="a")
    assert crypto.kid_of(token) != crypto.current_kid()


def test_an_old_key_still_decrypts_and_the_first_encrypts(settings):
    settings.ENCRYPTION_KEYS = {"old": OLD}
    token = crypto.encrypt("secret", owner="a")
    settings.ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    assert crypto.decrypt(token, owner="a") == "secret"
    assert crypto.kid_of(crypto.encrypt("secret", owner="a")) == "new"


@pytest.mark.parametrize("keys", [{"new": NEW}, {"old": NEW}])
def test_a_lost_or_different_key_is_said_not_guessed(settings, keys):
    settings.ENCRYPTION_KEYS = {"old": OLD}
    token = crypto.encrypt("secret", owner="a")
    settings.ENCRYPTION_KEYS = keys
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(token, owner="a")


def test_a_token_under_another_key_s_name_does_not_decrypt(settings):
    settings.ENCRYPTION_KEYS = {"one": OLD, "two": NEW}
    token = crypto.encrypt("secret", owner="a").replace(".one.", ".two.")
    with pytest.raises(crypto.Unreadable):
        crypto.decrypt(token, owner="a")
