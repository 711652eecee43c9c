"""Sec-WebSocket-Extensions and the offers of permessage-deflate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.negotiation.test_fields import tokens
from upgradegw.negotiation.extensions import DeflateOffer, ExtensionOffer, deflate_offers, parse_extensions
from upgradegw.negotiation.fields import is_token


def offers(value: bytes) -> tuple[DeflateOffer, ...]:
    """The offers of permessage-deflate in a value that follows the grammar."""
    extensions = parse_extensions([value])
    assert extensions is not None
    return deflate_offers(extensions)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"a"], [ExtensionOffer("a")]),
        ([b"a, b", b"c"], [ExtensionOffer("a"), ExtensionOffer("b"), ExtensionOffer("c")]),
        ([b"a;b;c=d"], [ExtensionOffer("a", (("b", None), ("c", "d")))]),
        ([b"a ; b ;\tc = d"], [ExtensionOffer("a", (("b", None), ("c", "d")))]),
        ([b'a; b="c"; d="\\e\\f"'], [ExtensionOffer("a", (("b", "c"), ("d", "ef")))]),
        ([b"a; b, a; b; b"], [ExtensionOffer("a", (("b", None),)), ExtensionOffer("a", (("b", None), ("b", None)))]),
        ([b",a,"], [ExtensionOffer("a")]),
        ([b"a; b=" + b"c" * 300], [ExtensionOffer("a", (("b", "c" * 300),))]),
    ],
)
def test_grammar(lines, expected):
    """WS-11, PD-06: names, parameters and values, also quoted ones, over all lines, white space where it may stand."""
    assert parse_extensions(lines) == tuple(expected)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" , ",
        b"a;",
        b";a",
        b"a; ;b",
        b"a=b",
        b"a; =b",
        b"a; b=",
        b"a; b=c d",
        b"a b",
        b"a; b c",
        b'"a"',
        b'a; b="c',
        b'a; b="c d"',
        b'a; b="c, d"',
        b'a; b=""',
        b'a; b="c"d',
        b"a; b==c",
        b"a, b/c",
        b"a; \xe4",
        b"a; b\x00",
    ],
)
def test_malformed(value):
    """WS-08, WS-11: what does not follow the grammar is refused as a whole."""
    assert parse_extensions([value]) is None
    assert parse_extensions([b"good", value + b"x;"]) is None


extension_lists = st.lists(
    st.tuples(tokens, st.lists(st.tuples(tokens, st.none() | tokens, st.booleans()), max_size=4)),
    min_size=1,
    max_size=4,
)


@given(extension_lists, st.sampled_from([b"", b" ", b"\t "]))
def test_round_trip(extensions, space):
    """WS-11: whatever is written by the grammar is read as it was meant."""
    written = []
    for name, parameters in extensions:
        text = name
        for key, value, is_quoted in parameters:
            text += space + b";" + space + key
            if value is not None:
                text += space + b"=" + space + (b'"' + value + b'"' if is_quoted else value)
        written.append(text)
    expected = tuple(
        ExtensionOffer(n.decode(), tuple((k.decode(), None if v is None else v.decode()) for k, v, _ in ps))
        for n, ps in extensions
    )
    assert parse_extensions([b",".join(written)]) == expected


@given(
    st.lists(st.binary(max_size=30) | st.text(st.sampled_from('ab;=," \\'), max_size=30).map(str.encode), max_size=3)
)
def test_anything(values):
    """Arbitrary bytes never raise, and nothing comes out but tokens."""
    for extension in parse_extensions(values) or ():
        assert is_token(extension.name.encode())
        for key, value in extension.parameters:
            assert is_token(key.encode())
            assert value is None or is_token(value.encode())
        deflate_offers([extension])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (b"", DeflateOffer()),
        (b"; server_no_context_takeover", DeflateOffer(server_no_context_takeover=True)),
        (b"; client_no_context_takeover", DeflateOffer(client_no_context_takeover=True)),
        (b"; client_max_window_bits", DeflateOffer(client_max_window_bits=True)),
        (b"; client_max_window_bits=8", DeflateOffer(client_max_window_bits=8)),
        (b'; client_max_window_bits="15"', DeflateOffer(client_max_window_bits=15)),
        (b"; server_max_window_bits=9", DeflateOffer(server_max_window_bits=9)),
        (b'; server_max_window_bits="10"', DeflateOffer(server_max_window_bits=10)),
        (b"; server_max_window_bits=15", DeflateOffer(server_max_window_bits=15)),
        (
            b";client_no_context_takeover;client_max_window_bits=12;server_no_context_takeover;server_max_window_bits=9",
            DeflateOffer(True, True, 9, 12),
        ),
    ],
)
def test_deflate(parameters, expected):
    """PD-03 to PD-06: what an offer may say, quoted values among them."""
    assert offers(b"permessage-deflate" + parameters) == (expected,)


@pytest.mark.parametrize(
    "parameters",
    [
        b"foo",
        b"foo=1",
        b"server_no_context_takeover=1",
        b"client_no_context_takeover=true",
        b"server_no_context_takeover; server_no_context_takeover",
        b"client_max_window_bits; client_max_window_bits=9",
        b"server_max_window_bits",
        b"server_max_window_bits=7",
        b"server_max_window_bits=8",
        b"server_max_window_bits=16",
        b"server_max_window_bits=010",
        b"server_max_window_bits=+10",
        b"server_max_window_bits=1_0",
        b"server_max_window_bits=x",
        b"client_max_window_bits=7",
        b"client_max_window_bits=16",
        b"client_max_window_bits=09",
        b'client_max_window_bits="0x9"',
        b"SERVER_NO_CONTEXT_TAKEOVER",
    ],
)
def test_declined(parameters):
    """PD-01, PD-03: an offer with an unknown, repeated or wrong parameter is passed over, and the next one counts."""
    value = b"permessage-deflate; " + parameters
    assert offers(value) == ()
    assert offers(value + b", permessage-deflate; server_no_context_takeover") == (DeflateOffer(True),)


def test_order():
    """PD-02: all that can be accepted, in the client's order; other extensions are none of them."""
    value = b"x, permessage-deflate; client_max_window_bits=9, permessage-deflate-2, permessage-deflate; y"
    value += b", permessage-deflate"
    assert offers(value) == (DeflateOffer(client_max_window_bits=9), DeflateOffer())


words = st.sampled_from(
    ["server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits"]
)


@given(st.lists(st.tuples(words, st.none() | st.integers(0, 20).map(str)), max_size=4))
def test_acceptable_if_and_only_if(parameters):
    """PD-01, PD-03: an offer is acceptable if and only if each parameter stands once, with a value that it may have."""
    may = {
        "server_no_context_takeover": {None},
        "client_no_context_takeover": {None},
        "server_max_window_bits": {str(bits) for bits in range(9, 16)},
        "client_max_window_bits": {None} | {str(bits) for bits in range(8, 16)},
    }
    names = [name for name, _ in parameters]
    expected = len(names) == len(set(names)) and all(value in may[name] for name, value in parameters)
    found = deflate_offers([ExtensionOffer("permessage-deflate", tuple(parameters))])
    assert bool(found) is expected
