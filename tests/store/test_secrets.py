"""Changing the secret key: what the former one encrypted is read, and encrypted anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from b24app.store.secrets import Vault, WrongSecretKey
from tests.shop import shop

FORMER, NEW = "the-former-key-16", "the-new-key-of-16"


def test_the_first_key_encrypts_and_all_of_them_decrypt() -> None:
    both, former = Vault(NEW, FORMER), Vault(FORMER)
    assert both.unlock(former.lock("token")) == "token"
    assert not both.locked_lately(former.lock("token"))
    assert both.locked_lately(both.lock("token"))
    with pytest.raises(WrongSecretKey):
        former.unlock(both.lock("token"))


def test_everything_of_a_portal_is_encrypted_anew_once(tmp_path: Path) -> None:
    shop(tmp_path, secret_key=FORMER).add_portal()
    changing = shop(tmp_path, secret_key=NEW, secret_key_other=FORMER).workshop
    with changing.database.write() as connection:
        assert changing.portals.lock_again(connection) == [1]
        assert changing.portals.lock_again(connection) == []

    changed = shop(tmp_path, secret_key=NEW).workshop.portal(1)
    assert (changed.grant.access, changed.grant.refresh, changed.application_tokens) == (
        "access-1",
        "refresh-1",
        ("app-token-51f0",),
    )


def test_a_key_that_nothing_was_encrypted_with_changes_nothing(tmp_path: Path) -> None:
    shop(tmp_path, secret_key=FORMER).add_portal()
    wrong = shop(tmp_path, secret_key=NEW, secret_key_other="another-wrong-key").workshop
    with pytest.raises(WrongSecretKey), wrong.database.write() as connection:
        wrong.portals.lock_again(connection)
    assert shop(tmp_path, secret_key=FORMER).workshop.portal(1).grant.access == "access-1"
