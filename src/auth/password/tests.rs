//! Tests of passwords: what is right, what is outdated, what is too weak, and who has to wait.

use std::{
    pin::Pin,
    sync::atomic::Ordering,
    task::{Context, Waker},
};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use futures_util::future::join_all;
use tokio::time::{Duration, timeout};

use super::*;

const GOOD: &str = "violet kettle ambush 94";

fn known_as() -> Vec<String> {
    vec!["ada.lovelace@example.com".into(), "Augusta Ada King".into()]
}

async fn hashed(passwords: &Passwords) -> String {
    passwords.hash_new(GOOD.into(), known_as(), "password").await.unwrap()
}

#[tokio::test]
async fn a_password_is_verified_by_its_own_hash_alone() {
    let passwords = Passwords::new();
    let hash = hashed(&passwords).await;
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_ne!(hash, hashed(&passwords).await, "salted");
    let verdict = async |password: &str, hash: Option<&String>| {
        passwords.verify(password.into(), hash.map(|hash| hash.clone().into())).await.unwrap()
    };
    assert_eq!(verdict(GOOD, Some(&hash)).await, Verdict::Right);
    assert_eq!(verdict("violet kettle ambush 95", Some(&hash)).await, Verdict::Wrong);
    assert_eq!(verdict(GOOD, None).await, Verdict::Wrong);
}

#[tokio::test]
async fn a_hash_of_other_parameters_is_verified_by_them_and_known_as_outdated() {
    let passwords = Passwords::new();
    for (algorithm, version, params) in [
        (Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap()),
        (Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 3, 1, None).unwrap()),
        (Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, Some(16)).unwrap()),
        (Algorithm::Argon2i, Version::V0x13, PARAMS),
        (Algorithm::Argon2id, Version::V0x10, PARAMS),
    ] {
        let old = Argon2::new(algorithm, version, params).hash_password(GOOD.as_bytes()).unwrap().to_string();
        let verdict = passwords.verify(GOOD.into(), Some(old.clone().into())).await.unwrap();
        assert_eq!(verdict, Verdict::Outdated, "{old}");
        let wrong = passwords.verify("violet kettle ambush 95".into(), Some(old.clone().into())).await.unwrap();
        assert_eq!(wrong, Verdict::Wrong, "{old}");
    }
}

#[tokio::test]
async fn a_broken_hash_is_a_defect_and_not_a_wrong_password() {
    assert!(Passwords::new().verify(GOOD.into(), Some("plain".into())).await.is_err());
}

#[tokio::test]
async fn nobody_costs_what_somebody_costs() {
    let somebody = hashed(&Passwords::new()).await;
    let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(parameters(NOBODY), parameters(&somebody));
    assert!(is_of_today(&PasswordHash::new(NOBODY).unwrap()));
}

#[tokio::test]
async fn weak_passwords_are_refused_by_field() {
    let long = "violet kettle ".repeat(10);
    for weak in
        ["violet 94", &long, "password1234", "aaaaaaaaaaaaaaaa", "ada.lovelace@example.com", "augusta ada king1"]
    {
        let error = Passwords::new().hash_new(weak.into(), known_as(), "new_password").await.unwrap_err();
        assert_eq!(error.problems[0].field, "new_password", "{weak}");
        assert!(!error.message.contains(weak));
    }
}

/// Begins to wait for `work`, which cannot be done yet.
fn waits(work: &mut Pin<Box<impl Future>>) -> bool {
    work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

/// The line is as long as it may be; the next one is told to come back, and who leaves makes room for another.
#[tokio::test]
async fn nobody_waits_behind_a_line_that_is_full() {
    let passwords = Passwords::at_once(1);
    let core = Arc::clone(&passwords.cores).acquire_owned().await.unwrap();
    let mut line: Vec<_> = (0..=LINE).map(|_| Box::pin(passwords.verify(GOOD.into(), None))).collect();
    for waiting in &mut line {
        assert!(waits(waiting));
    }
    let refused = passwords.verify(GOOD.into(), None).await.unwrap_err();
    assert_eq!((refused.kind, refused.retry_after.is_some()), (Kind::Unavailable, true));

    line.truncate(1);
    let mut next = Box::pin(passwords.verify(GOOD.into(), None));
    assert!(waits(&mut next), "a place is free again");
    drop((line, next));
    assert_eq!(passwords.begun.load(Ordering::Relaxed), 0, "nobody works for those who have left");
    drop(core);
    let verdict = timeout(Duration::from_secs(60), passwords.verify(GOOD.into(), None)).await;
    assert_eq!(verdict.expect("no permit is lost").unwrap(), Verdict::Wrong);
}

/// The format is everybody's: what is written here can be read elsewhere.
#[tokio::test]
async fn a_hash_is_argon2_for_others_as_well() {
    let hash = hashed(&Passwords::new()).await;
    let phc = PasswordHash::new(&hash).unwrap();
    Argon2::default().verify_password(GOOD.as_bytes(), &phc).unwrap();
    assert!(Argon2::default().verify_password(b"another", &phc).is_err());
}

#[tokio::test]
async fn a_flood_takes_a_piece_of_memory_for_each_core_and_no_more() {
    let passwords = Passwords::at_once(2);
    let verdicts = join_all((0..12).map(|_| passwords.verify(GOOD.into(), None))).await;
    assert!(verdicts.into_iter().all(|verdict| verdict.unwrap() == Verdict::Wrong));
    assert!((1..=2).contains(&passwords.memory.kept()), "{}", passwords.memory.kept());
}
