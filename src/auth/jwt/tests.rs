//! Tests of tokens: one way to be good, a table of ways to be bad.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::config::Config;

const SUBJECT: &str = "019a9e2e-5f6b-7c3d-8e4f-0123456789ab";

fn tokens() -> (Tokens, AuthConfig) {
    let config = Config::for_tests("sqlite::memory:").unwrap().auth;
    (Tokens::new(&config).unwrap(), config)
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A good set of claims, with `changes` over it; null takes a claim away, `{"raw": x}` sets x even if it is null.
fn claims(changes: Value) -> Value {
    let mut claims = json!({"sub": SUBJECT, "role": "user", "iat": now(), "exp": now() + 60, "jti": "x", "iss": "rootstock", "aud": "rootstock"});
    for (name, value) in changes.as_object().unwrap() {
        let members = claims.as_object_mut().unwrap();
        match value {
            Value::Null => _ = members.remove(name),
            Value::Object(raw) => _ = members.insert(name.clone(), raw["raw"].clone()),
            value => _ = members.insert(name.clone(), value.clone()),
        }
    }
    claims
}

fn signed(config: &AuthConfig, header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_secret(config.key.as_ref().unwrap().expose_secret().as_bytes());
    jsonwebtoken::encode(header, claims, &key).unwrap()
}

#[test]
fn a_token_says_what_was_written_into_it() {
    let (tokens, _) = tokens();
    let subject = Uuid::now_v7();
    let token = tokens.issue(subject, "editor", Uuid::now_v7(), Duration::from_secs(60)).unwrap();
    let claims = tokens.verify(&token).unwrap();
    assert_eq!(claims.subject, subject);
    assert!((now() + 58..=now() + 60).contains(&claims.expires.try_into().unwrap()));
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let names: Vec<&String> = payload.as_object().unwrap().keys().collect();
    assert_eq!(names, ["sub", "role", "sid", "iat", "exp", "jti", "iss", "aud"]);
    assert_eq!(payload["role"], "editor");
}

#[test]
fn good_claims_are_accepted_in_all_their_forms() {
    let (tokens, config) = tokens();
    for changes in [
        json!({}),
        json!({"exp": now() - 25}),
        json!({"nbf": now() + 25}),
        json!({"exp": now() as f64 + 60.5, "iat": now() as f64 - 0.5}),
        json!({"aud": ["other", "rootstock"]}),
        json!({"role": null, "iat": null, "jti": null, "extra": [1]}),
        json!({"iat": now() + 25}),
        json!({"sid": SUBJECT}),
    ] {
        let token = signed(&config, &Header::new(Algorithm::HS256), &claims(changes.clone()));
        tokens.verify(&token).unwrap_or_else(|error| panic!("{changes}: {error}"));
    }
}

#[test]
fn bad_claims_are_refused() {
    let (tokens, config) = tokens();
    for changes in [
        json!({"exp": null}),
        json!({"exp": {"raw": null}}),
        json!({"exp": "9999999999"}),
        json!({"exp": -1}),
        json!({"exp": 1e300}),
        json!({"exp": now() - 35}),
        json!({"exp": true}),
        json!({"nbf": now() + 60}),
        json!({"nbf": "0"}),
        json!({"nbf": {"raw": null}}),
        json!({"nbf": -1}),
        json!({"exp": 253_402_300_800_u64}),
        json!({"exp": now() as f64 - 35.5}),
        json!({"iat": "now"}),
        json!({"iat": now() + 60}),
        json!({"iat": {"raw": null}}),
        json!({"sid": "ada"}),
        json!({"sid": 7}),
        json!({"sid": {"raw": null}}),
        json!({"jti": 7}),
        json!({"role": ["admin"]}),
        json!({"role": {"raw": null}}),
        json!({"sub": null}),
        json!({"sub": "ada"}),
        json!({"sub": 7}),
        json!({"sub": {"raw": null}}),
        json!({"sub": ""}),
        json!({"sub": format!("urn:uuid:{SUBJECT}")}),
        json!({"sub": SUBJECT.replace('-', "")}),
        json!({"sid": "x"}),
        json!({"sid": 7}),
        json!({"sid": {"raw": null}}),
        json!({"iss": null}),
        json!({"iss": "other"}),
        json!({"iss": ["rootstock"]}),
        json!({"aud": null}),
        json!({"aud": "other"}),
        json!({"aud": []}),
        json!({"aud": {"raw": null}}),
        json!({"aud": ["other"]}),
        json!({"aud": [7, "rootstock"]}),
        json!({"aud": vec!["rootstock"; 101]}),
        json!({"aud": {"raw": {"name": "rootstock"}}}),
    ] {
        let token = signed(&config, &Header::new(Algorithm::HS256), &claims(changes.clone()));
        let error = tokens.verify(&token).err().unwrap_or_else(|| panic!("{changes} was accepted"));
        assert_eq!((error.kind, error.code.as_ref()), (crate::error::Kind::Unauthenticated, "PGRST303"), "{changes}");
    }
}

#[test]
fn bad_tokens_are_refused() {
    let (tokens, config) = tokens();
    let good = signed(&config, &Header::new(Algorithm::HS256), &claims(json!({})));
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let encoded = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let other = AuthConfig { key: Some("another key of thirty-two bytes or more".into()), ..config.clone() };
    let with = |change: fn(&mut Header)| {
        let mut header = Header::new(Algorithm::HS256);
        change(&mut header);
        signed(&config, &header, &claims(json!({})))
    };
    for (what, token) in [
        ("empty", String::new()),
        ("no token", "abc".into()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("a padded signature", format!("{good}=")),
        ("white space", format!("{good} ")),
        ("another payload", format!("{header}.{}.{signature}", encoded(claims(json!({"sub": Uuid::nil()}))))),
        ("alg none", format!("{}.{payload}.", encoded(json!({"alg": "none", "typ": "JWT"})))),
        ("alg None", format!("{}.{payload}.{signature}", encoded(json!({"alg": "None"})))),
        ("no alg", format!("{}.{payload}.{signature}", encoded(json!({"typ": "JWT"})))),
        ("alg RS256", format!("{}.{payload}.{signature}", encoded(json!({"alg": "RS256"})))),
        ("alg HS512 by the right key", with(|header| header.alg = Algorithm::HS512)),
        ("another key", signed(&other, &Header::new(Algorithm::HS256), &claims(json!({})))),
        ("critical extensions", with(|header| header.crit = Some(vec!["b64".into()]))),
        ("another kind", with(|header| header.typ = Some("logout+jwt".into()))),
        ("a key of its own", with(|header| header.jku = Some("https://evil.example/keys".into()))),
        ("a certificate of its own", with(|header| header.x5c = Some(vec!["MIIB".into()]))),
        ("a very long name of a key", with(|header| header.kid = Some("k".repeat(257)))),
        ("too long", format!("{header}.{payload}{}.{signature}", "A".repeat(8 * 1024))),
    ] {
        let error = tokens.verify(&token).err().unwrap_or_else(|| panic!("{what} was accepted"));
        assert_eq!(error.kind, crate::error::Kind::Unauthenticated, "{what}");
        assert!(error.code == "PGRST301" || error.code == "PGRST303", "{what}: {}", error.code);
    }
    // The control: what all of these were made of is good.
    assert!(tokens.verify(&good).is_ok());
}

#[test]
fn each_algorithm_verifies_its_own_tokens_alone() {
    let (_, config) = tokens();
    let all = [HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512]
        .map(|algorithm| Tokens::new(&AuthConfig { algorithm, ..config.clone() }).unwrap());
    for (i, issuing) in all.iter().enumerate() {
        let token = issuing.issue(Uuid::now_v7(), "user", Uuid::now_v7(), Duration::from_secs(60)).unwrap();
        for (j, verifying) in all.iter().enumerate() {
            assert_eq!(verifying.verify(&token).is_ok(), i == j);
        }
    }
}

/// What a part says twice, one program reads the first time and another the last.
#[test]
fn a_member_that_is_there_twice_is_refused_at_any_depth() {
    let (_, config) = tokens();
    let key = EncodingKey::from_secret(config.key.as_ref().unwrap().expose_secret().as_bytes());
    let signed = |header: &str, claims: &str| {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    };
    let tokens = Tokens::new(&config).unwrap();
    let (header, claims) = (r#"{"alg":"HS256"}"#, claims(json!({})).to_string());
    let inside = |member: &str| claims.replacen('{', &format!("{{{member},"), 1);
    assert!(tokens.verify(&signed(header, &claims)).is_ok());
    assert!(tokens.verify(&signed(header, &inside(r#""a":{"b":1,"c":[1.5,-1,null,true,"x"]}"#))).is_ok());
    for (header, claims) in [
        (r#"{"alg":"HS256","alg":"HS256"}"#, claims.clone()),
        (r#"{"alg":"none","alg":"HS256"}"#, claims.clone()),
        (header, inside(r#""sub":"x""#)),
        (header, inside(r#""a":1,"a":1"#)),
        (header, inside(r#""a":{"b":1,"b":1}"#)),
        (header, inside(r#""a":[{"b":1,"b":1}]"#)),
        (header, inside(r#""a":1e400"#)),
        (header, format!("{claims}x")),
        (header, "[]".into()),
        (header, "[".repeat(1000)),
        (header, String::new()),
    ] {
        let error = tokens.verify(&signed(header, &claims)).expect_err(&claims);
        assert_eq!(error.kind, crate::error::Kind::Unauthenticated, "{header} {claims}");
    }
}
