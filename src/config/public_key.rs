//! Public keys of outside identity providers, of the three kinds that are taken.
//!
//! In: PEM, or the numbers of a JSON Web Key. Out: a [`PublicKey`] that is strong enough and fit to verify with; or what
//! is wrong with it.

use std::{fmt, fs};

use ed25519_dalek::VerifyingKey;
use p256::elliptic_curve::sec1::{FromEncodedPoint as _, ToEncodedPoint as _};
use rsa::{
    BigUint, RsaPublicKey, pkcs1::DecodeRsaPublicKey as _, pkcs8::DecodePublicKey as _, traits::PublicKeyParts as _,
};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};

use super::PublicAlgorithm;

/// The fewest bits that the modulus of an RSA key may have (RFC 7518, section 3.3). The library bounds the most.
const FEWEST_BITS: usize = 2048;

/// What a key must be.
const KINDS: &str = "must be an RSA key of 2048 to 4096 bits, a P-256 key or an Ed25519 key";

/// A public key that verifies tokens, by the one algorithm of its kind.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// For RS256.
    Rsa(RsaPublicKey),
    /// For ES256.
    P256(p256::PublicKey),
    /// For EdDSA.
    Ed25519(VerifyingKey),
}

impl PublicKey {
    /// The key that `value` is, in PEM, or the key in the file that it names. Line ends may be written as `\n`, as files of
    /// variables have them.
    pub(super) fn from_variable(value: &str) -> Result<Self, String> {
        const WANTED: &str = "must be a public key in PEM, or the path of a file that holds one";
        if value.contains("-----BEGIN") {
            return Self::from_pem(&value.replace("\\n", "\n")).map_err(str::to_owned);
        }
        // What is no path might be a secret in the wrong place: it is not repeated.
        let pem = fs::read_to_string(value.trim()).map_err(|error| format!("{WANTED}; no file is read: {error}"))?;
        Self::from_pem(&pem).map_err(str::to_owned)
    }

    /// The key in a text of PEM.
    fn from_pem(pem: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "must be a public key in PEM, which begins with -----BEGIN PUBLIC KEY-----";
        let label = pem.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----"));
        match label.map(|(label, _)| label) {
            Some("PUBLIC KEY") => {
                let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| WANTED)?;
                Self::from_der(&der).ok_or(KINDS)
            }
            Some("RSA PUBLIC KEY") => {
                let key = RsaPublicKey::from_pkcs1_pem(pem.trim()).map_err(|_| KINDS)?;
                Self::strong(key).ok_or(KINDS)
            }
            Some("CERTIFICATE") => {
                Err("is a certificate: give the public key in it (openssl x509 -in FILE -noout -pubkey)")
            }
            Some(label) if label.ends_with("PRIVATE KEY") => {
                Err("is a private key: give the public one (openssl pkey -in FILE -pubout)")
            }
            _ => Err(WANTED),
        }
    }

    /// The key of a `SubjectPublicKeyInfo`, whose own identifier says of which kind it is.
    fn from_der(der: &[u8]) -> Option<Self> {
        if let Ok(key) = RsaPublicKey::from_public_key_der(der) {
            return Self::strong(key);
        }
        if let Ok(key) = p256::PublicKey::from_public_key_der(der) {
            return Some(Self::P256(key));
        }
        VerifyingKey::from_public_key_der(der).ok().and_then(Self::sound)
    }

    /// The RSA key of a modulus and an exponent, big-endian.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let key = RsaPublicKey::new(BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent)).ok()?;
        Self::strong(key)
    }

    /// The key of a point on P-256.
    pub fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let (x, y): ([u8; 32], [u8; 32]) = (x.try_into().ok()?, y.try_into().ok()?);
        let point = p256::EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
        // Whether it is on the curve at all is what is asked here.
        Option::from(p256::PublicKey::from_encoded_point(&point)).map(Self::P256)
    }

    /// The key of a point on Ed25519.
    pub fn ed25519(x: &[u8]) -> Option<Self> {
        VerifyingKey::from_bytes(x.try_into().ok()?).ok().and_then(Self::sound)
    }

    fn strong(key: RsaPublicKey) -> Option<Self> {
        // An exponent of one signs everything with itself, and an even one has no signatures.
        let odd = key.e().to_bytes_le().first().is_some_and(|lowest| lowest & 1 == 1);
        (key.n().bits() >= FEWEST_BITS && odd && key.e().bits() > 1).then_some(Self::Rsa(key))
    }

    /// Without points of small order, for which there are signatures that fit many messages.
    fn sound(key: VerifyingKey) -> Option<Self> {
        (!key.is_weak()).then_some(Self::Ed25519(key))
    }

    /// The one algorithm that it verifies by.
    pub const fn algorithm(&self) -> PublicAlgorithm {
        match self {
            Self::Rsa(_) => PublicAlgorithm::Rs256,
            Self::P256(_) => PublicAlgorithm::Es256,
            Self::Ed25519(_) => PublicAlgorithm::EdDsa,
        }
    }

    /// Modulus and exponent of an RSA key.
    pub fn rsa_parts(key: &RsaPublicKey) -> (Vec<u8>, Vec<u8>) {
        (key.n().to_bytes_be(), key.e().to_bytes_be())
    }

    /// The uncompressed point of a P-256 key (SEC 1, section 2.3.3).
    pub fn p256_point(key: &p256::PublicKey) -> Vec<u8> {
        key.to_encoded_point(false).as_bytes().to_vec()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.algorithm()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(name: &str) -> String {
        fs::read_to_string(format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn keys_of_three_kinds_are_read_by_their_text_or_their_file() {
        for (name, algorithm) in [
            ("rsa.pub", PublicAlgorithm::Rs256),
            ("rsa.pkcs1.pub", PublicAlgorithm::Rs256),
            ("p256.pub", PublicAlgorithm::Es256),
            ("ed25519.pub", PublicAlgorithm::EdDsa),
        ] {
            let text = pem(name);
            let path = format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
            for value in [text.clone(), text.replace('\n', "\\n"), text.replace('\n', "\r\n"), path] {
                assert_eq!(
                    PublicKey::from_variable(&value).map(|key| key.algorithm()),
                    Ok(algorithm),
                    "{name}: {value}"
                );
            }
        }
        assert_eq!(PublicKey::from_variable(&pem("rsa.pub")), PublicKey::from_variable(&pem("rsa.pkcs1.pub")));
    }

    #[test]
    fn what_is_no_strong_public_key_is_told_apart() {
        let garbage = "-----BEGIN PUBLIC KEY-----\nQUJD\n-----END PUBLIC KEY-----\n".to_owned();
        let open = pem("rsa.pub").replace("-----END", "");
        for (what, value, expected) in [
            ("1024 bits", pem("bad-rsa-1024.pub"), KINDS),
            ("8192 bits", pem("bad-rsa-8192.pub"), KINDS),
            ("P-384", pem("bad-p384.pub"), KINDS),
            ("secp256k1", pem("bad-secp256k1.pub"), KINDS),
            ("Ed448", pem("bad-ed448.pub"), KINDS),
            ("garbage", garbage, KINDS),
            ("a certificate", pem("bad-certificate"), "is a certificate"),
            ("a private key", pem("rsa"), "is a private key"),
            ("an elliptic private key", pem("p256"), "is a private key"),
            ("a private key of PKCS#1", pem("bad-rsa-private.pkcs1"), "is a private key"),
            ("no end", open, "must be a public key in PEM"),
            ("nothing", String::new(), "must be a public key in PEM"),
            ("a path to nothing", "/nowhere/key.pem".into(), "must be a public key in PEM"),
        ] {
            let error = PublicKey::from_variable(&value).expect_err(what);
            assert!(error.starts_with(expected) && error.lines().count() == 1, "{what}: {error}");
        }
    }

    #[test]
    fn weak_numbers_make_no_key() {
        let modulus = [0xff; 256];
        assert!(PublicKey::rsa(&modulus, &[1, 0, 1]).is_some());
        for (modulus, exponent) in
            [(&modulus[..128], &[1, 0, 1][..]), (&modulus, &[1]), (&modulus, &[]), (&modulus, &[2]), (&[], &[1, 0, 1])]
        {
            assert!(PublicKey::rsa(modulus, exponent).is_none(), "{} bytes, {exponent:?}", modulus.len());
        }
        // No point of the curve, and points of small order.
        assert!(PublicKey::p256(&[0; 32], &[0; 32]).is_none() && PublicKey::p256(&[4; 33], &[0; 32]).is_none());
        assert!(PublicKey::ed25519(&[0; 32]).is_none() && PublicKey::ed25519(&[1; 31]).is_none());
    }
}
