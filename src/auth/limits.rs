//! How often one may try to sign in: a minute, an address, an account.
//!
//! In: where a request comes from, and the account that it is about. Out: nothing, or a refusal that says when to try
//! again. The limits are this instance's own: behind a load balancer, `n` instances allow up to `n` times as much.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use quick_cache::sync::Cache;

use super::client::Client;
use crate::error::{Error, Result};

/// How many addresses, and how many accounts, are kept count of: the memory is bounded, and of more at once than this
/// those that have not been seen for longest begin anew.
const KEPT: usize = 50_000;

/// The longest name of an account that is told from others: an address for e-mail is no longer.
const LONGEST: usize = 254;

/// Counts attempts.
pub struct Limits {
    addresses: Counts<IpAddr>,
    // Counted apart: who makes up names of accounts must not make the addresses forgotten.
    accounts: Counts<String>,
}

impl Limits {
    /// `per_minute` attempts for each address and for each account: as many at once, and then one as each is due.
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self { addresses: Counts::new(per_minute), accounts: Counts::new(per_minute) }
    }

    /// Counts an attempt of `client`, on `account` if it names one: an e-mail address or a key, as it was typed. That an
    /// account is there is not asked, so the answer tells nothing about that.
    ///
    /// # Errors
    /// `RateLimited` for one too many.
    pub fn check(&self, client: &Client, account: Option<&str>) -> Result<()> {
        self.addresses.check(network(client.address))?;
        account.map_or(Ok(()), |account| self.check_account(account))
    }

    /// Counts an attempt on an account alone, which became known after its address had been counted.
    ///
    /// # Errors
    /// `RateLimited` for one too many.
    pub fn check_account(&self, account: &str) -> Result<()> {
        let account = account.trim();
        // Nobody has a longer one, so there is no account to protect.
        if account.len() > LONGEST { Ok(()) } else { self.accounts.check(account.to_lowercase()) }
    }
}

/// Whom an address counts as: of IPv6, a customer has at least a /64, and all of its addresses.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

/// The counts of one kind of key.
struct Counts<K> {
    quota: Quota,
    clock: DefaultClock,
    kept: Cache<K, Arc<DefaultDirectRateLimiter>>,
}

impl<K: Eq + Hash + Clone> Counts<K> {
    fn new(per_minute: NonZeroU32) -> Self {
        Self { quota: Quota::per_minute(per_minute), clock: DefaultClock::default(), kept: Cache::new(KEPT) }
    }

    fn check(&self, key: K) -> Result<()> {
        let fresh = || Ok::<_, Error>(Arc::new(RateLimiter::direct_with_clock(self.quota, self.clock.clone())));
        let limiter = self.kept.get_or_insert_with(&key, fresh)?;
        limiter.check().map_err(|early| {
            let wait = early.wait_time_from(self.clock.now());
            Error::rate_limited("Too many attempts to sign in, from here or to this account", wait)
                .hint("Wait as long as Retry-After says")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use axum::http::HeaderValue;

    fn from(address: &str) -> Client {
        Client { address: address.parse().unwrap(), request_id: HeaderValue::from_static("id") }
    }

    fn limits() -> Limits {
        Limits::new(NonZeroU32::new(3).unwrap())
    }

    #[test]
    fn an_address_is_refused_after_its_share_and_told_when_to_come_back() {
        let limits = limits();
        for _ in 0..3 {
            limits.check(&from("192.0.2.1"), None).unwrap();
        }
        let refused = limits.check(&from("192.0.2.1"), None).unwrap_err();
        assert_eq!(refused.kind, Kind::RateLimited);
        let wait = refused.retry_after.unwrap().get();
        assert!((1..=20).contains(&wait), "{wait} seconds");
        limits.check(&from("192.0.2.2"), None).unwrap();
    }

    #[test]
    fn an_account_is_the_same_however_it_is_typed_and_wherever_it_is_tried_from() {
        let limits = limits();
        for (address, account) in
            [("192.0.2.1", "ann@example.com"), ("192.0.2.2", "ANN@example.com "), ("::1", "Ann@Example.com")]
        {
            limits.check(&from(address), Some(account)).unwrap();
        }
        assert!(limits.check(&from("192.0.2.9"), Some("ann@example.com")).is_err());
        limits.check(&from("192.0.2.9"), Some("bob@example.com")).unwrap();
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_together() {
        let limits = limits();
        for address in ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"] {
            limits.check(&from(address), None).unwrap();
        }
        assert!(limits.check(&from("2001:db8::4"), None).is_err());
        limits.check(&from("2001:db8:0:1::1"), None).unwrap();
    }

    #[test]
    fn many_names_take_no_more_memory_than_is_set_aside() {
        let limits = Limits::new(NonZeroU32::MAX);
        for number in 0..2 * KEPT {
            limits.check(&from("192.0.2.1"), Some(&format!("{number}@example.com"))).unwrap();
        }
        assert!(limits.accounts.kept.len() <= KEPT);
    }
}
