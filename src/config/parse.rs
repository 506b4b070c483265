//! What the values of variables look like.
//!
//! In: the text of one variable. Out: its value, or what would be right as a sentence without a subject: "must be …".

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderValue;
use ipnet::IpNet;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{AllowedOrigins, HmacAlgorithm, JwtAlgorithm, Networks, PublicAlgorithm, options::LogFormat};

/// A whole number from `MIN` to `MAX`.
pub(super) fn whole<const MIN: u64, const MAX: u64>(text: &str) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(number) if (MIN..=MAX).contains(&number) => Ok(number),
        _ => Err(format!("must be a whole number from {MIN} to {MAX}")),
    }
}

/// A number of bytes from 1 KiB to 1 GiB, plain or with one of the units KiB and MiB.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix("KiB") {
        Some(number) => (number, 1 << 10),
        None => text.strip_suffix("MiB").map_or((text, 1), |number| (number, 1 << 20)),
    };
    match number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit)) {
        Some(bytes) if (1 << 10..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err("must be a number of bytes from 1024 to 1073741824, or one with a unit as in 512 KiB or 1 MiB".into()),
    }
}

/// `on` or `off`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err("must be on or off".into()),
    }
}

/// A text that is not empty.
pub(super) fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be empty".into()) } else { Ok(text.to_owned()) }
}

/// A secret; an empty one is found out later, where it is known whether one is needed.
pub(super) fn secret(text: &str) -> Result<SecretString, String> {
    Ok(text.to_owned().into())
}

/// A URL of a database that is spoken.
pub(super) fn database_url(text: &str) -> Result<SecretString, String> {
    let known = text.starts_with("sqlite:")
        || Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    if known {
        Ok(text.to_owned().into())
    } else {
        Err("must be a URL as sqlite://rootstock.db?mode=rwc or postgres://user:password@host:5432/database".into())
    }
}

/// A URL of a replica, which PostgreSQL alone has.
pub(super) fn replica_url(text: &str) -> Result<SecretString, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(text.to_owned().into()),
        _ => Err("must be a URL as postgres://user:password@replica:5432/database".into()),
    }
}

/// A URL of a collector of traces.
pub(super) fn otlp_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "must be a URL as http://collector:4318".into())
}

/// A URL at which keys are published.
pub(super) fn jwks_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| "must be a URL as https://id.example.com/.well-known/jwks.json".into())
}

/// An address and a port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| "must be an IP address and a port, as 127.0.0.1:8000 or [::1]:8000".into())
}

/// The name of an algorithm that signs tokens.
pub(super) fn algorithm(text: &str) -> Result<JwtAlgorithm, String> {
    Ok(match text.trim() {
        "HS256" => JwtAlgorithm::Own(HmacAlgorithm::Hs256),
        "HS384" => JwtAlgorithm::Own(HmacAlgorithm::Hs384),
        "HS512" => JwtAlgorithm::Own(HmacAlgorithm::Hs512),
        "RS256" => JwtAlgorithm::Outside(PublicAlgorithm::Rs256),
        "ES256" => JwtAlgorithm::Outside(PublicAlgorithm::Es256),
        "EdDSA" => JwtAlgorithm::Outside(PublicAlgorithm::EdDsa),
        _ => return Err("must be HS256, HS384, HS512, RS256, ES256 or EdDSA".into()),
    })
}

/// A comma list of origins, or `*` alone.
pub(super) fn origins(text: &str) -> Result<AllowedOrigins, String> {
    if text.trim() == "*" {
        return Ok(AllowedOrigins::Any);
    }
    let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(origin);
    origins.collect::<Option<_>>().map(AllowedOrigins::These).ok_or_else(|| {
        "must be * or a comma list of origins, each a scheme and a host as https://app.example.com, without a path"
            .into()
    })
}

/// One origin, in the form in which browsers send it.
fn origin(text: &str) -> Option<HeaderValue> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let origin = url.origin().ascii_serialization();
    // A path, a user or a query would never match what a browser sends: refused here rather than found out there.
    let same = text.trim_end_matches('/').eq_ignore_ascii_case(&origin)
        || url.port().is_none() && text.to_ascii_lowercase().starts_with(&format!("{origin}:"));
    if same { HeaderValue::try_from(origin).ok() } else { None }
}

/// A comma list of networks and single addresses.
pub(super) fn networks(text: &str) -> Result<Networks, String> {
    let network = |text: &str| {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
        // Addresses are compared in their shorter form.
        match network.addr().to_canonical() {
            IpAddr::V4(address) if network.addr().is_ipv6() => {
                IpNet::new(address.into(), network.prefix_len().checked_sub(96)?).ok()
            }
            _ => Some(network),
        }
    };
    let networks = text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(network);
    networks
        .collect::<Option<_>>()
        .ok_or_else(|| "must be a comma list of networks or addresses, as 10.0.0.0/16 or 192.0.2.7 or fd00::/8".into())
}

/// The form of log lines.
pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim() {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be pretty or json".into()),
    }
}

/// Which log lines are written.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("must be log directives, as info or warn,rootstock=debug".into()),
    }
}
