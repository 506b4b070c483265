//! What fuzz targets ask of identity: tokens, addresses, bodies. Compiled for them alone, by `cfg(fuzzing)`.
//!
//! In: bytes of a client. Out: nothing, or a panic that says what does not hold.

use super::{
    body::{self, Members},
    client::Client,
    email::Email,
    jwt::{Claims, Tokens},
};
use crate::{
    config::{AuthConfig, Networks},
    engine::fuzzing::read,
    error::Kind,
};
use axum::{
    extract::ConnectInfo,
    http::{HeaderValue, Request},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// A text that nobody has signed is no token.
pub fn token(config: &AuthConfig, text: &str) {
    assert!(verified(config, text).is_none(), "a token that nobody has signed: {text}");
}

/// What a token says.
fn verified(config: &AuthConfig, text: &str) -> Option<Claims> {
    let tokens = Tokens::new(config).unwrap_or_else(|| panic!("there is no key for own tokens"));
    let verify =
        || tokens.verify(text).map_err(|error| assert_eq!(error.kind, Kind::Unauthenticated, "{error:?}")).ok();
    let claims = verify();
    assert_eq!(claims, verify(), "read twice");
    claims
}

/// A header and claims that were signed with the right key: what is taken has every claim, each of its type.
pub fn signed(config: &AuthConfig, header: &str, claims: &str) {
    let message = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(claims));
    let key = config.key.as_ref().unwrap_or_else(|| panic!("there is no key for own tokens"));
    let key = EncodingKey::from_secret(key.expose_secret().as_bytes());
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    let signature = signature.unwrap_or_else(|error| panic!("it cannot be signed: {error}"));
    let Some(taken) = verified(config, &format!("{message}.{signature}")) else { return };
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let (header, claims) = (parse(header), parse(claims));
    assert!(header["alg"] == "HS256" && header.get("crit").is_none_or(Value::is_null), "{header}");
    assert!(claims["exp"].is_number() && claims["iss"] == *config.issuer, "{claims}");
    let subject = claims["sub"].as_str().and_then(|subject| subject.parse().ok());
    assert_eq!(subject, Some(taken.subject), "{claims}");
    let audience = claims["aud"].as_array().map_or_else(|| vec![&claims["aud"]], |all| all.iter().collect());
    assert!(audience.iter().any(|audience| **audience == *config.audience), "{claims}");
    for (name, is) in [
        ("iat", Value::is_number as fn(&Value) -> bool),
        ("nbf", Value::is_number),
        ("jti", Value::is_string),
        ("role", Value::is_string),
    ] {
        assert!(claims.get(name).is_none_or(is), "{name} of {claims}");
    }
}

/// Whatever stands before it, the address that a trusted proxy has added counts; and no header moves an untrusted peer.
pub fn forwarded(trusted: &Networks, proxy: IpAddr, value: &HeaderValue) {
    let added: IpAddr = [198, 51, 100, 7].into();
    let of = |peer: IpAddr, last: Option<&'static str>| {
        let mut request = Request::new(());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 1)));
        request.headers_mut().append("x-forwarded-for", value.clone());
        if let Some(last) = last {
            request.headers_mut().append("x-forwarded-for", HeaderValue::from_static(last));
        }
        Client::of(&request, HeaderValue::from_static("id"), trusted).address
    };
    assert_eq!(of(proxy, Some("198.51.100.7, 10.1.1.1")), added);
    assert_eq!(of(added, None), added);
    let address = of(proxy, None);
    assert_eq!(address, address.to_canonical());
}

/// The bodies of `/auth`, as JSON and as a form.
pub fn credentials(bytes: &[u8]) {
    let names = ["email", "password", "name"];
    let json = read(|| {
        let mut members = Members::of_json(bytes, &names)?;
        let told = (members.text("email"), members.text("password"), members.optional_text("name"));
        members.finish().map(|()| told)
    });
    let form = read(|| body::password_form(bytes));
    let addresses = [json.ok().map(|(email, ..)| email), form.ok().map(|(name, _)| name)];
    for address in addresses.into_iter().flatten() {
        let Ok(email) = read(|| Email::parse(&address)) else { continue };
        assert_eq!(Email::parse(email.as_str()).ok().as_ref(), Some(&email), "read again");
        assert!(email.as_str().is_ascii() && email.as_str().len() <= 254, "{email}");
    }
}
