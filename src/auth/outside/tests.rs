//! Tests of what an outside token says of its subject: role, address, name.

use serde_json::json;

use super::*;
use crate::error::Kind;

fn members(claims: &Value) -> &Map<String, Value> {
    claims.as_object().unwrap()
}

#[test]
fn the_highest_role_that_is_named_counts() {
    for (path, claims, expected) in [
        ("role", json!({}), "user"),
        ("role", json!({"role": "editor"}), "editor"),
        ("role", json!({"role": "root"}), "user"),
        ("role", json!({"role": "Admin"}), "user"),
        ("role", json!({"role": ["user", "admin", "editor", "x"]}), "admin"),
        ("role", json!({"role": []}), "user"),
        ("cognito:groups", json!({"cognito:groups": ["editor"]}), "editor"),
        ("realm_access.roles", json!({"realm_access": {"roles": ["offline_access", "editor"]}}), "editor"),
        ("realm_access.roles", json!({"realm_access": {}}), "user"),
        ("realm_access.roles", json!({"realm_access.roles": "admin", "realm_access": {"roles": "editor"}}), "admin"),
        ("a.b.c", json!({"a": {"b": {"c": "editor"}}}), "editor"),
        ("a.b.c", json!({"a": {}}), "user"),
        ("https://example.com/role", json!({"https://example.com/role": "admin"}), "admin"),
        ("https://example.com/role", json!({"https://example": {"com/role": "editor"}}), "editor"),
        ("https://example.com/role", json!({"role": "admin"}), "user"),
    ] {
        assert_eq!(role(members(&claims), path).unwrap(), expected, "{path} in {claims}");
    }
}

#[test]
fn a_role_of_another_type_is_refused() {
    for (path, claims) in [
        ("role", json!({"role": null})),
        ("role", json!({"role": 3})),
        ("role", json!({"role": true})),
        ("role", json!({"role": {"name": "admin"}})),
        ("role", json!({"role": ["admin", 3]})),
        ("role", json!({"role": [["admin"]]})),
        ("a.b", json!({"a": "admin"})),
        ("a.b", json!({"a": null})),
        ("a.b", json!({"a": ["b"]})),
        ("a.b", json!({"a": {"b": {"c": "admin"}}})),
    ] {
        let error = role(members(&claims), path).expect_err(path);
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Unauthenticated, "PGRST303"), "{path} in {claims}");
    }
}

#[test]
fn an_address_is_taken_that_the_provider_vouches_for() {
    let email = |claims: Value| email(members(&claims)).map(|email| email.as_str().to_owned());
    for good in [
        json!({"email": " ann@example.com"}),
        json!({"email": "ann@example.com", "email_verified": true}),
        json!({"email": "ann@example.com", "email_verified": "true"}),
    ] {
        assert_eq!(email(good.clone()).as_deref(), Some("ann@example.com"), "{good}");
    }
    for bad in [
        json!({}),
        json!({"email": null}),
        json!({"email": ["ann@example.com"]}),
        json!({"email": "ann"}),
        json!({"email": "ann@example.com\0"}),
        json!({"email": "ann@example.com", "email_verified": false}),
        json!({"email": "ann@example.com", "email_verified": "false"}),
        json!({"email": "ann@example.com", "email_verified": null}),
        json!({"email": "ann@example.com", "email_verified": 1}),
    ] {
        assert_eq!(email(bad.clone()), None, "{bad}");
    }
}
