//! Where a request comes from: what limits and the audit go by, since neither can go by a name that the request gives
//! itself.
//!
//! In: the connection's peer and the headers that a trusted proxy adds. Out: a [`Client`] among the request's extensions.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr as _,
};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, HeaderValue, Request},
};

use crate::config::Networks;

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The address of the client, as far as proxies that are trusted tell it; unspecified where nobody knows.
    pub address: IpAddr,
    /// The request's id, as it is answered and logged.
    pub request_id: HeaderValue,
}

impl Client {
    /// The client of `request`, whose id is `request_id`. Of the addresses in `X-Forwarded-For` the last one is believed
    /// that no trusted proxy has: what stands before it may be the client's own invention.
    pub fn of<B>(request: &Request<B>, request_id: HeaderValue, trusted: &Networks) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        let address = if trusted.contain(peer) { forwarded(request.headers(), peer, trusted) } else { peer };
        Self { address, request_id }
    }
}

/// The client behind the trusted proxy `peer`.
fn forwarded(headers: &HeaderMap, peer: IpAddr, trusted: &Networks) -> IpAddr {
    let mut nearest = peer;
    // Several headers are one list (RFC 9110 section 5.3); one that is no text tells nothing.
    for value in headers.get_all("x-forwarded-for").iter().rev() {
        let Ok(value) = value.to_str() else { return nearest };
        for hop in value.rsplit(',') {
            let Some(address) = address(hop.trim()) else { return nearest };
            nearest = address;
            if !trusted.contain(address) {
                return nearest;
            }
        }
    }
    nearest
}

/// An address, with a port or without one.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = IpAddr::from_str(bare).or_else(|_| SocketAddr::from_str(text).map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_the_client() {
        let trusted = Options::from_flags([("trusted-proxies", "10.0.0.0/8,::1")]).unwrap().trusted_proxies;
        for (peer, forwarded, expected) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1,10.9.9.9"], "198.51.100.1"),
            ("10.0.0.1", &["10.9.9.9, 10.8.8.8"], "10.9.9.9"),
            ("10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["nonsense, 10.9.9.9"], "10.9.9.9"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("::1", &["[2001:db8::7]:443"], "2001:db8::7"),
            ("::1", &["[2001:db8::7]"], "2001:db8::7"),
            ("::1", &["::ffff:198.51.100.1"], "198.51.100.1"),
        ] {
            let mut request = Request::new(());
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            for value in forwarded {
                request.headers_mut().append("x-forwarded-for", HeaderValue::from_static(value));
            }
            let client = Client::of(&request, HeaderValue::from_static("id"), &trusted);
            assert_eq!(client.address, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }
}
