from services.core.seeds import derive_seed


def test_seeds_differ_by_purpose_and_index() -> None:
    """First value computed with `openssl dgst -sha256 -mac HMAC -macopt key:key` on `oracle|0`."""
    assert derive_seed(b"key", "oracle", 0) == 0x31D3B48EC15AB689
    seeds = {derive_seed(b"k", purpose, index) for purpose in ("oracle", "second", "placebo") for index in range(512)}
    assert len(seeds) == 3 * 512
