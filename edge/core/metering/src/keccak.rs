use selvedge_primitives_math::Keccak256;
use selvedge_primitives_types::Hash;
use sha3::Digest;

/// Keccak-256 for the usage trees, in native code.
#[derive(Clone, Copy, Debug)]
pub struct Keccak;

impl Keccak256 for Keccak {
    fn hash(bytes: &[u8]) -> Hash {
        sha3::Keccak256::digest(bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_keccak_of_ethereum() {
        // The digest of nothing, as every Ethereum client knows it.
        let empty = Keccak::hash(&[]);
        assert_eq!(empty[..4], [0xc5, 0xd2, 0x46, 0x01]);
        assert_eq!(empty[28..], [0x5d, 0x85, 0xa4, 0x70]);
    }
}
