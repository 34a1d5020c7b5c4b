"""A second implementation of GOST R 34.10-2012 and Streebog (the package gostcrypto) behind one line a question.

    hash SIZE MESSAGE            the digest
    key CURVE PRIVATE            x || y
    sign CURVE PRIVATE DIGEST K  r || s
    verify CURVE KEY DIGEST SIG  True or False

All hex. Digests and numbers are big-endian here, as that package takes them.
"""
import sys

from gostcrypto import gosthash, gostsignature

CURVES = {
    "Tc26A512": (gostsignature.MODE_512, "id-tc26-gost-3410-12-512-paramSetA"),
    "Tc26A256": (gostsignature.MODE_256, "id-tc26-gost-3410-2012-256-paramSetA"),
    # The same curve under a later name.
    "CryptoProA": (gostsignature.MODE_256, "id-tc26-gost-3410-2012-256-paramSetB"),
}


def answer(verb, *words):
    if verb == "hash":
        size, message = words[0], bytearray.fromhex("".join(words[1:]))
        return gosthash.new("streebog" + size, data=message).digest().hex()
    mode, curve = CURVES[words[0]]
    signer = gostsignature.new(mode, gostsignature.CURVES_R_1323565_1_024_2019[curve])
    numbers = [bytearray.fromhex(word) for word in words[1:]]
    if verb == "key":
        return signer.public_key_generate(*numbers).hex()
    if verb == "sign":
        return signer.sign(*numbers).hex()
    return str(signer.verify(*numbers))


for line in sys.stdin:
    print(answer(*line.split()), flush=True)
