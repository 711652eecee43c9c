"""Hashes of passwords."""

from __future__ import annotations

import subprocess
import sys

import pytest

from upgradegw.web.passwords import PasswordHash, hash_password

#: RFC 7914 section 12, the first of its examples that is no toy: "pleaseletmein", "SodiumChloride", 2^14, 8, 1.
SODIUM = (
    "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$"
    "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"
)


def test_a_published_example():
    """The form and the parameters mean what they mean elsewhere."""
    assert PasswordHash.parse(SODIUM).verify(b"pleaseletmein")
    assert not PasswordHash.parse(SODIUM).verify(b"pleaseletmeIn")
    assert str(PasswordHash.parse(SODIUM)) == SODIUM


def test_there_and_back():
    """A password is known again by its hash, and two hashes of one are not alike."""
    one, other = hash_password("naïve:pass word", log2_n=2), hash_password("naïve:pass word", log2_n=2)
    assert one != other
    assert PasswordHash.parse(one).verify("naïve:pass word".encode())
    assert not PasswordHash.parse(one).verify(b"")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "$apr1$abcdefgh$0123456789012345678901",
        "$2y$10$abcdefghijklmnopqrstuv",
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        SODIUM + "\n",
        SODIUM.replace("ln=14", "ln=0"),
        SODIUM.replace("ln=14", "ln=22"),
        SODIUM.replace("p=1", "p=99"),
        SODIUM.replace("r=8", "r=0"),
        "$scrypt$ln=14,r=8,p=1$A$A",
    ],
)
def test_what_is_none(text: str):
    """What is no hash, costs nothing or too much is refused, when it is read."""
    with pytest.raises(ValueError, match=r"hash|memory|padd|base64|characters"):
        PasswordHash.parse(text)


def test_the_command():
    """The command takes a password and prints its hash, and nothing else."""
    program = [sys.executable, "-m", "upgradegw.web.passwords"]
    done = subprocess.run(program, input="secret\n", capture_output=True, check=True, text=True)
    assert PasswordHash.parse(done.stdout.strip()).verify(b"secret")
    assert done.stderr == ""
