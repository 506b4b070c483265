//! The attacks: a name for each, and the token.

use super::Signer;
use crate::support::provider::{jwk, private, public_pem, signed_text};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// Tokens of another form, or whose parts do not belong together.
pub(super) fn of_another_form(signer: &Signer) -> Vec<(String, String)> {
    let good = signer.good();
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let part = |value: Value| BASE64.encode(value.to_string());
    let raised = part(signer.claims(json!({ "role": "admin" })));
    let reversed: String = signature.chars().rev().collect();
    let mut flipped = BASE64.decode(signature).expect("base64url");
    *flipped.last_mut().expect("a byte") ^= 1;
    let mut attacks: Vec<(String, String)> = [
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted ones have", format!("{header}.{claims}.{signature}.{claims}.{signature}")),
        ("one part", header.to_owned()),
        ("nothing but dots", "..".into()),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{claims}.")),
        ("half a signature", format!("{header}.{claims}.{}", &signature[..signature.len() / 2])),
        ("a longer signature", format!("{good}AAAA")),
        ("a signature one bit off", format!("{header}.{claims}.{}", BASE64.encode(flipped))),
        ("another's signature", format!("{header}.{claims}.{reversed}")),
        ("a signature of zeros", format!("{header}.{claims}.{}", BASE64.encode([0; 64]))),
        ("a padded signature", format!("{good}==")),
        ("padded claims", format!("{header}.{claims}=.{signature}")),
        ("the other alphabet", format!("{header}.{claims}.+/{}", &signature[2..])),
        ("no base64", format!("{header}.{{}}.{signature}")),
        ("white space", format!("{header}. {claims}.{signature}")),
        ("a tab", format!("{header}.{claims}\t.{signature}")),
        ("quotes", format!("\"{good}\"")),
        ("percent", format!("{header}%2E{claims}%2E{signature}")),
        ("more claims than were signed", format!("{header}.{raised}.{signature}")),
        ("a header that is no JSON", format!("{}.{claims}.{signature}", BASE64.encode("alg"))),
        ("a header that is a list", format!("{}.{claims}.{signature}", part(json!(["HS256"])))),
        ("a header without members", format!("{}.{claims}.{signature}", part(json!({})))),
        ("too long", format!("{header}.{claims}{}.{signature}", "A".repeat(9_000))),
        ("much too long", "A".repeat(40_000)),
        ("SQL", "' or 1=1 --".into()),
        ("null", "null".into()),
    ]
    .map(|(what, token)| (what.to_owned(), token))
    .into();
    for none in ["none", "None", "NONE", "nOnE", "", "null"] {
        let header = part(json!({ "alg": none, "typ": "JWT" }));
        attacks.push((format!("alg {none:?}"), format!("{header}.{raised}.")));
        attacks.push((format!("alg {none:?} with a signature"), format!("{header}.{claims}.{signature}")));
    }
    attacks
}

/// Well-signed tokens whose header should not be taken.
pub(super) fn of_a_bad_header(signer: &Signer, evil: &str) -> Vec<(String, String)> {
    let mut attacks: Vec<(String, String)> = [
        json!({ "typ": "secevent+jwt" }),
        json!({ "typ": "rt+jwt" }),
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": "application/at+jwt" }),
        json!({ "typ": 7 }),
        json!({ "typ": null }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "b64": false, "crit": ["b64"] }),
        json!({ "b64": false }),
        json!({ "zip": "DEF" }),
        json!({ "enc": "A256GCM" }),
        json!({ "jku": evil }),
        json!({ "x5u": evil }),
        json!({ "jwk": jwk("rsa-other") }),
        json!({ "x5c": ["MIIB"] }),
        json!({ "jku": null }),
        json!({ "kid": ["rsa"] }),
        json!({ "kid": 7 }),
        json!({ "kid": null }),
        json!({ "kid": "k".repeat(257) }),
        json!({ "alg": null }),
        json!({ "alg": ["HS256", "RS256"] }),
        json!({ "alg": 7 }),
        json!({ "alg": "hs256" }),
        json!({ "alg": "HS256 " }),
        json!({ "alg": "PS256" }),
        json!({ "alg": "RS512" }),
        json!({ "alg": "ES384" }),
        json!({ "alg": "HS384" }),
    ]
    .map(|changes| (format!("header {changes:.80}"), signer.with_header(changes)))
    .into();
    let (header, claims) = (signer.header(json!({})).to_string(), signer.claims(json!({})).to_string());
    let twice = header.replacen('{', r#"{"alg":"none","#, 1);
    attacks.push(("alg twice".into(), signer.sign(&twice, &claims)));
    attacks.push(("text behind the header".into(), signer.sign(&format!("{header}{header}"), &claims)));
    attacks
}

/// Well-signed tokens whose claims should not be taken.
pub(super) fn of_bad_claims(signer: &Signer) -> Vec<(String, String)> {
    let now = chrono::Utc::now().timestamp();
    let mut attacks: Vec<(String, String)> = [
        json!({ "exp": null }),
        json!({ "exp": "9999999999" }),
        json!({ "exp": -1 }),
        json!({ "exp": true }),
        json!({ "exp": [now + 60] }),
        json!({ "exp": now - 35 }),
        json!({ "exp": (now - 35) as f64 + 0.5 }),
        json!({ "exp": 1e300 }),
        json!({ "exp": (now + 60) * 1000 }),
        json!({ "nbf": "0" }),
        json!({ "nbf": now + 3600 }),
        json!({ "nbf": -1 }),
        json!({ "iat": "now" }),
        json!({ "iat": now + 3600 }),
        json!({ "iat": {} }),
        json!({ "iss": null }),
        json!({ "iss": "other" }),
        json!({ "iss": "" }),
        json!({ "iss": "rootstock/" }),
        json!({ "iss": ["rootstock"] }),
        json!({ "aud": null }),
        json!({ "aud": "other" }),
        json!({ "aud": "" }),
        json!({ "aud": [] }),
        json!({ "aud": [7] }),
        json!({ "aud": ["rootstock", 7] }),
        json!({ "aud": { "rootstock": true } }),
        json!({ "aud": vec!["rootstock"; 101] }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "sub": ["x"] }),
        json!({ "sub": "s".repeat(256) }),
        json!({ "sub": "a\u{0}b" }),
        json!({ "sub": "a\nb" }),
        json!({ "jti": 7 }),
        json!({ "role": 7 }),
        json!({ "role": { "admin": true } }),
        json!({ "role": [7] }),
    ]
    .map(|changes| (format!("claims {changes:.80}"), signer.with_claims(changes)))
    .into();
    for (name, value) in [
        ("exp", "1e400"),
        ("exp", "null"),
        ("nbf", "null"),
        ("iat", "null"),
        ("sub", "null"),
        ("aud", "null"),
        ("jti", "null"),
        ("exp", "NaN"),
    ] {
        attacks.push((format!("claim {name} {value}"), signer.with_text(name, value)));
    }
    let (header, claims) = (signer.header(json!({})).to_string(), signer.claims(json!({})).to_string());
    let inside = |member: &str| claims.replacen('{', &format!("{{{member},"), 1);
    for (what, claims) in [
        ("sub twice", inside(r#""sub":"019a9e2e-5f6b-7c3d-8e4f-0123456789ab""#)),
        ("role twice", inside(r#""role":"admin","role":"user""#)),
        ("exp twice", inside(r#""exp":1"#)),
        ("a member of a member twice", inside(r#""a":{"b":1,"b":2}"#)),
        ("claims that are a list", "[]".into()),
        ("claims that are no JSON", "sub=ann".into()),
        ("deep claims", format!("{}1{}", "[".repeat(500), "]".repeat(500))),
        ("text behind the claims", format!("{claims} {claims}")),
    ] {
        attacks.push((what.into(), signer.sign(&header, &claims)));
    }
    attacks
}

/// Own tokens for what is no account.
pub(super) fn of_no_account(own: &Signer) -> Vec<(String, String)> {
    let other = uuid::Uuid::now_v7();
    [
        ("no UUID", json!({ "sub": "ann@example.com" })),
        ("an unknown UUID", json!({ "sub": other })),
        ("the nil UUID", json!({ "sub": uuid::Uuid::nil() })),
        ("a UUID in braces", json!({ "sub": format!("{{{}}}", own.subject) })),
        ("a UUID as a URN", json!({ "sub": format!("urn:uuid:{}", own.subject) })),
        ("a session that is no UUID", json!({ "sid": "1" })),
        ("a session of a wrong type", json!({ "sid": 1 })),
    ]
    .map(|(what, changes)| (what.to_owned(), own.with_claims(changes)))
    .into()
}

/// Tokens that are signed well, by what signs something else.
pub(super) fn of_another_key(own: &Signer, outside: &Signer) -> Vec<(String, String)> {
    let claims = outside.claims(json!({ "role": "admin" })).to_string();
    let mut attacks = Vec::new();
    // Known to everybody, and of any length that HMAC takes.
    let pem = public_pem("rsa");
    for secret in [
        pem.clone(),
        pem.trim().to_owned(),
        pem.replace('\n', ""),
        jwk("rsa")["n"].as_str().expect("a text").to_owned(),
        String::new(),
    ] {
        let key = EncodingKey::from_secret(secret.as_bytes());
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            for kid in ["rsa", "own"] {
                let header = json!({ "alg": format!("{algorithm:?}"), "kid": kid }).to_string();
                let token = signed_text(algorithm, &key, &header, &claims);
                attacks.push((format!("{algorithm:?} by the public key's text as {kid}"), token));
            }
        }
    }
    let own_claims = own.claims(json!({})).to_string();
    for name in ["rsa-other", "p256", "p256-other", "ed25519"] {
        let (algorithm, key) = private(name);
        for (kid, claims) in [("rsa", &claims), (name, &claims), (name, &own_claims)] {
            let header = json!({ "alg": format!("{algorithm:?}"), "kid": kid }).to_string();
            attacks.push((
                format!("by {name}, which says that it is {kid}"),
                signed_text(algorithm, &key, &header, claims),
            ));
        }
    }
    // The right key under the name of another algorithm.
    for (signer, algorithm) in
        [(own, "RS256"), (own, "HS512"), (own, "ES256"), (outside, "HS256"), (outside, "ES256"), (outside, "EdDSA")]
    {
        attacks.push((format!("{} as {algorithm}", signer.what), signer.with_header(json!({ "alg": algorithm }))));
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let header = json!({ "alg": format!("{algorithm:?}") }).to_string();
        attacks.push((format!("own by {algorithm:?}"), signed_text(algorithm, &own.key, &header, &own_claims)));
    }
    let rs512 = json!({ "alg": "RS512", "kid": "rsa" }).to_string();
    attacks.push(("outside by RS512".into(), signed_text(Algorithm::RS512, &outside.key, &rs512, &claims)));
    attacks
}
