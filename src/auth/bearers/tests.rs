//! Tests of whose tokens are taken, and for how long: every algorithm with its key, and the clock in the test's hand.

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{
    config::{HmacAlgorithm, Options},
    error::Kind,
};

const NOW: u64 = 1_800_000_000;
const SUBJECT: &str = "019a9e2e-5f6b-7c3d-8e4f-0123456789ab";
const SECRET: &str = "a key of thirty-two bytes or more, of these tests alone";

fn pem(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The configuration with the public key `name`, if one is named.
fn config(name: Option<&str>) -> AuthConfig {
    let public = name.map(|name| pem(&format!("{name}.pub")));
    let mut flags = vec![("jwt-secret-key", SECRET), ("database-url", "sqlite::memory:")];
    flags.extend(public.as_deref().map(|public| ("jwt-public-key", public)));
    let options = Options::from_flags(flags).unwrap();
    AuthConfig::new(&options, &options.database().unwrap()).unwrap()
}

fn signing(algorithm: Algorithm, name: &str) -> EncodingKey {
    let pem = || pem(name).into_bytes();
    match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(&pem()),
        Algorithm::ES256 => EncodingKey::from_ec_pem(&pem()),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(&pem()),
        _ => Ok(EncodingKey::from_secret(SECRET.as_bytes())),
    }
    .unwrap()
}

fn claims(exp: u64) -> Value {
    json!({"sub": SUBJECT, "iat": NOW, "exp": exp, "iss": "rootstock", "aud": "rootstock"})
}

fn token(algorithm: Algorithm, key: &str, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &signing(algorithm, key)).unwrap()
}

const OUTSIDE: [(Algorithm, &str); 3] =
    [(Algorithm::RS256, "rsa"), (Algorithm::ES256, "p256"), (Algorithm::EdDSA, "ed25519")];

#[tokio::test]
async fn what_is_issued_is_verified_by_every_algorithm() {
    for algorithm in [HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512] {
        let bearers = Bearers::new(&AuthConfig { algorithm, ..config(Some("rsa")) });
        for _ in 0..20 {
            let subject = Uuid::now_v7();
            let own = bearers.own().unwrap();
            let token = own.issue(subject, "user", Uuid::now_v7(), own.lifetime()).unwrap();
            // The second time it is remembered.
            for _ in 0..2 {
                let Bearer::Own(claims) = bearers.verify(&token).await.unwrap() else { panic!("an own token") };
                assert_eq!(claims.subject, subject);
            }
        }
    }
    for (algorithm, key) in OUTSIDE {
        let bearers = Bearers::new(&config(Some(key)));
        for number in 0..20 {
            let mut claims = claims(NOW + 60);
            claims["sub"] = json!(format!("auth0|{number}"));
            let token = token(algorithm, key, &claims);
            for _ in 0..2 {
                let Bearer::Outside(claims) = bearers.verify_at(&token, NOW).await.unwrap() else {
                    panic!("an outside token")
                };
                assert_eq!(claims.subject, format!("auth0|{number}"));
            }
        }
    }
}

#[tokio::test]
async fn each_key_verifies_its_own_algorithm_alone() {
    for (_, key) in OUTSIDE {
        let bearers = Bearers::new(&config(Some(key)));
        for (algorithm, signing) in OUTSIDE {
            let token = token(algorithm, signing, &claims(NOW + 60));
            assert_eq!(bearers.verify_at(&token, NOW).await.is_ok(), key == signing, "{signing} by {key}");
        }
        let other = OUTSIDE.iter().find(|(_, name)| *name == key).map(|(algorithm, _)| *algorithm).unwrap();
        let forged = token(other, &format!("{key}-other"), &claims(NOW + 60));
        assert!(bearers.verify_at(&forged, NOW).await.is_err(), "another key of the same kind");
        // The bytes of a public key are known to everybody, and are no secret to sign with.
        for secret in [pem(&format!("{key}.pub")), pem(&format!("{key}.pub")).trim().to_owned()] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let key = EncodingKey::from_secret(secret.as_bytes());
                let token = jsonwebtoken::encode(&Header::new(algorithm), &claims(NOW + 60), &key).unwrap();
                assert!(bearers.verify_at(&token, NOW).await.is_err(), "{algorithm:?} by the public key");
            }
        }
    }
}

#[tokio::test]
async fn without_an_own_key_no_hmac_is_taken_and_without_an_outside_one_no_other() {
    let outside = Bearers::new(&AuthConfig { key: None, ..config(Some("p256")) });
    assert!(outside.own().is_none());
    for secret in [SECRET, ""] {
        let key = EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&Header::default(), &claims(NOW + 60), &key).unwrap();
        assert_eq!(outside.verify_at(&token, NOW).await.unwrap_err().kind, Kind::Unauthenticated);
    }
    let own = Bearers::new(&config(None));
    for (algorithm, key) in OUTSIDE {
        let token = token(algorithm, key, &claims(NOW + 60));
        assert_eq!(own.verify_at(&token, NOW).await.unwrap_err().kind, Kind::Unauthenticated);
    }
}

#[tokio::test]
async fn a_remembered_token_ends_when_it_ends() {
    let bearers = Bearers::new(&config(Some("p256")));
    for (algorithm, key) in [(Algorithm::HS256, ""), (Algorithm::ES256, "p256")] {
        let mut claims = claims(NOW + 60);
        claims["nbf"] = json!(NOW);
        let token = token(algorithm, key, &claims);
        for (now, good) in [
            (NOW, true),
            (NOW + 90, true),
            (NOW + 91, false),
            (NOW + 9_000, false),
            // A clock that is set back makes it good again, but not before its time.
            (NOW, true),
            (NOW - 30, true),
            (NOW - 31, false),
        ] {
            let verified = bearers.verify_at(&token, now).await;
            assert_eq!(verified.is_ok(), good, "{algorithm:?} at {now}: {verified:?}");
        }
        assert!(!bearers.verified.is_empty());
    }
}

#[tokio::test]
async fn what_was_refused_is_not_remembered() {
    let bearers = Bearers::new(&config(None));
    for number in 0..10 {
        assert!(bearers.verify_at(&format!("{number}.b.c"), NOW).await.is_err());
    }
    assert!(bearers.verified.is_empty());
}
