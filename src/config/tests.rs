//! Tests of the configuration: defaults, bad values, the local key, and what is shown of secrets.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = Config::for_tests("sqlite::memory:").unwrap();
    assert_eq!(
        config.limits,
        Limits { max_depth: 12, max_cost: 5000, max_page_size: 100, default_page_size: 20, max_rows: 1000 }
    );
    assert_eq!(config.http.max_body_bytes, 1 << 20);
    assert_eq!(config.http.request_timeout, Duration::from_secs(15));
    assert_eq!(config.http.cors_allowed_origins, AllowedOrigins::These(vec![]));
    assert_eq!(config.database.max_connections, 10);
    assert!(config.database.prepared_statements);
    assert!(config.database.statement_timeout < config.http.request_timeout);
    assert_eq!(config.auth.access_token_lifetime, Duration::from_secs(1800));
    assert_eq!(Options::from_flags([]).unwrap().bind_addr.to_string(), "127.0.0.1:8000");
}

#[test]
fn a_bad_value_is_one_line_that_names_its_variable() {
    for (flag, value, expected) in [
        (
            "database-max-connections",
            "ten",
            "DATABASE_MAX_CONNECTIONS must be a whole number from 1 to 1000, it is \"ten\"",
        ),
        (
            "database-max-connections",
            "0",
            "DATABASE_MAX_CONNECTIONS must be a whole number from 1 to 1000, it is \"0\"",
        ),
        ("bind-addr", "8000", "BIND_ADDR must be an IP address and a port"),
        ("jwt-algorithm", "none", "JWT_ALGORITHM must be HS256, HS384, HS512, RS256, ES256 or EdDSA"),
        ("jwt-issuer", "", "JWT_ISSUER must not be empty"),
        ("jwt-jwks-url", "id.example.com", "JWT_JWKS_URL must be a URL as https://"),
        ("jwt-jwks-url", "file:///etc/keys.json", "JWT_JWKS_URL must be a URL as https://"),
        ("max-body-bytes", "1 GB", "MAX_BODY_BYTES must be a number of bytes"),
        ("database-prepared-statements", "maybe", "DATABASE_PREPARED_STATEMENTS must be on or off"),
        ("cors-allowed-origins", "https://a.example/path", "CORS_ALLOWED_ORIGINS must be * or a comma list"),
        ("trusted-proxies", "10.0.0.0/33", "TRUSTED_PROXIES must be a comma list of networks or addresses"),
        ("rate-limit-auth-per-minute", "0", "RATE_LIMIT_AUTH_PER_MINUTE must be a whole number from 1 to 1000000"),
        ("database-read-url", "sqlite::memory:", "DATABASE_READ_URL must be a URL as postgres://"),
        ("admin-addr", "9000", "ADMIN_ADDR must be an IP address and a port"),
        ("otel-exporter-otlp-endpoint", "collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL as http://"),
        ("log-format", "xml", "LOG_FORMAT must be pretty or json"),
        ("rust-log", "info,a=b=c", "RUST_LOG must be log directives"),
    ] {
        let error = Options::from_flags([(flag, value)]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{flag}={value}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_bad_database_url_is_not_repeated() {
    let error = Options::from_flags([("database-url", "mysql://root:hunter2@db/x")]).unwrap_err().to_string();
    assert!(error.starts_with("DATABASE_URL must be a URL") && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_password_of_its_own_goes_where_a_url_has_none() {
    let database = |flags: &[(&'static str, &'static str)]| {
        Options::from_flags(flags.iter().copied()).unwrap().database().map_err(|error| error.to_string())
    };
    let own = ("database-password", "p@ss/word?");
    for (url, expected) in [
        ("postgres://ann@db/trees", "postgres://ann:p%40ss%2Fword%3F@db/trees"),
        ("postgres://ann:other@db/trees", "postgres://ann:other@db/trees"),
        ("postgres:///trees?user=ann", "postgres:///trees?user=ann&password=p%40ss%2Fword%3F"),
        ("postgres:///trees?password=other", "postgres:///trees?password=other"),
    ] {
        let config = database(&[("database-url", url), ("database-read-url", url), own]).unwrap();
        assert_eq!(config.url.expose_secret(), expected);
        assert_eq!(config.read_url.as_ref().unwrap().expose_secret(), expected);
        let shown = format!("{config:?}");
        assert!(!shown.contains("%40") && !shown.contains("other"), "{shown}");
    }
    for alone in [own, ("database-read-url", "postgres://replica/trees")] {
        let error = database(&[("database-url", "sqlite::memory:"), alone]).unwrap_err();
        assert!(error.ends_with("must not be set where DATABASE_URL is SQLite's"), "{error}");
    }
}

#[test]
fn a_key_is_required_where_others_can_reach_the_server_and_a_weak_one_never_does() {
    let outside = [("bind-addr", "0.0.0.0:8000"), ("database-url", "sqlite::memory:")];
    let postgres = [("bind-addr", "127.0.0.1:8000"), ("database-url", "postgres://u@h/d")];
    for flags in [outside, postgres] {
        let error = Config::new(&Options::from_flags(flags).unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("JWT_SECRET_KEY must be set"), "{error}");
    }
    for weak in ["", "short"] {
        let options = Options::from_flags([("database-url", "sqlite::memory:"), ("jwt-secret-key", weak)]).unwrap();
        let error = Config::new(&options).unwrap_err().to_string();
        assert!(error.starts_with("JWT_SECRET_KEY must have 32 bytes or more"), "{error}");
    }
}

#[test]
fn the_local_key_is_made_once_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let options = Options::from_flags([("database-url", url.as_str())]).unwrap();
    let keys: Vec<String> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Config::new(&options).unwrap().auth.key.unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap().expose_secret().to_owned()).collect()
    });
    assert!(keys[0].len() >= 32 && keys.iter().all(|key| *key == keys[0]), "every start has the same key");
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["a.db.jwt-key"], "no draft is left behind");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join("a.db.jwt-key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// The text of a key of the tests.
fn pem(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

const KEY: &str = "a key of thirty-two bytes or more, of these tests alone";

fn auth<'a>(flags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<AuthConfig, String> {
    let options = Options::from_flags(flags).map_err(|error| error.to_string())?;
    AuthConfig::new(&options, &options.database().map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())
}

#[test]
fn outside_keys_that_do_not_fit_stop_the_start() {
    let (rsa, private, weak) = (pem("rsa.pub"), pem("rsa"), pem("bad-rsa-1024.pub"));
    let url = "https://id.example.com/keys";
    for (flags, expected) in [
        (vec![("jwt-algorithm", "RS256")], "JWT_ALGORITHM must not be RS256 without JWT_PUBLIC_KEY or JWT_JWKS_URL"),
        (
            vec![("jwt-algorithm", "EdDSA"), ("jwt-secret-key", KEY)],
            "JWT_ALGORITHM must not be EdDSA without JWT_PUBLIC_KEY or JWT_JWKS_URL",
        ),
        (vec![("jwt-public-key", &rsa), ("jwt-jwks-url", url)], "JWT_PUBLIC_KEY and JWT_JWKS_URL must not both be set"),
        (
            vec![("jwt-public-key", &rsa), ("jwt-algorithm", "ES256")],
            "JWT_PUBLIC_KEY is a key for RS256, and JWT_ALGORITHM is ES256",
        ),
        (vec![("jwt-public-key", &weak)], "JWT_PUBLIC_KEY must be an RSA key of 2048 to 4096 bits"),
        (vec![("jwt-public-key", &private)], "JWT_PUBLIC_KEY is a private key"),
        (vec![("jwt-public-key", "")], "JWT_PUBLIC_KEY must be a public key in PEM"),
        (vec![("jwt-public-key", &rsa), ("jwt-secret-key", "short")], "JWT_SECRET_KEY must have 32 bytes or more"),
    ] {
        let error = auth(flags).unwrap_err();
        assert!(error.starts_with(expected) && error.lines().count() == 1, "{error}");
    }
    // What was meant for another variable is not shown.
    let error = auth([("jwt-public-key", "hunter2hunter2")]).unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn each_algorithm_is_pinned_where_it_belongs() {
    let rsa = pem("rsa.pub");
    let own = auth([("jwt-algorithm", "HS512"), ("jwt-public-key", &rsa), ("jwt-secret-key", KEY)]).unwrap();
    assert_eq!((own.algorithm, own.key.is_some()), (HmacAlgorithm::Hs512, true));
    assert!(matches!(own.outside.unwrap().keys, OutsideKeys::Pinned(key) if key.algorithm() == PublicAlgorithm::Rs256));
    let url = ("jwt-jwks-url", "https://id.example.com/keys");
    let pinned = auth([("jwt-algorithm", "ES256"), url, ("jwt-secret-key", KEY)]).unwrap();
    assert_eq!((pinned.algorithm, pinned.key.is_some()), (HmacAlgorithm::Hs256, true));
    let published = |auth: AuthConfig| match auth.outside.unwrap().keys {
        OutsideKeys::Published { algorithm, .. } => algorithm,
        OutsideKeys::Pinned(key) => panic!("{key:?}"),
    };
    assert_eq!(published(pinned), Some(PublicAlgorithm::Es256));
    assert_eq!(published(auth([url]).unwrap()), None);
}

/// The keys of the provider are all that such a server needs, wherever it listens.
#[test]
fn with_an_outside_key_alone_there_are_no_own_tokens_and_no_local_key() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("a.db").display());
    for address in ["127.0.0.1:8000", "0.0.0.0:8000"] {
        let rsa = pem("rsa.pub");
        let auth = auth([("database-url", url.as_str()), ("bind-addr", address), ("jwt-public-key", &rsa)]).unwrap();
        assert!(auth.key.is_none() && auth.outside.is_some());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn secrets_print_as_stars() {
    let options = Options::from_flags([("jwt-public-key", "hunter2 in the wrong variable")]).unwrap();
    assert!(!format!("{options:?}").contains("hunter2"));
    for url in ["postgres://u:hunter2@h/d?sslmode=require", "postgres://u@h/d?password=hunter2"] {
        let flags = [("database-url", url), ("jwt-secret-key", "hunter2hunter2hunter2hunter2hunter2")];
        let options = Options::from_flags(flags).unwrap();
        let shown = format!("{options:?} {:?}", Config::new(&options).unwrap());
        assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn sqlite_urls_name_their_file() {
    let file = |url| Options::from_flags([("database-url", url)]).unwrap().database().unwrap().sqlite_file();
    assert_eq!(file("sqlite://rootstock.db?mode=rwc"), Some("rootstock.db".into()));
    assert_eq!(file("sqlite:///data/a%20b.db"), Some("/data/a b.db".into()));
    assert_eq!(file("sqlite:a.db"), Some("a.db".into()));
    for memory in ["sqlite::memory:", "sqlite://:memory:", "sqlite://x?mode=memory&cache=shared", "postgres://u@h/d"] {
        assert_eq!(file(memory), None, "{memory}");
    }
}

#[test]
fn origins_are_what_browsers_send() {
    let origins = |text| Options::from_flags([("cors-allowed-origins", text)]).map(|o| o.cors_allowed_origins);
    let these =
        |list: &[&'static str]| AllowedOrigins::These(list.iter().map(|o| HeaderValue::from_static(o)).collect());
    assert_eq!(origins("*"), Ok(AllowedOrigins::Any));
    assert_eq!(
        origins("https://a.example, http://localhost:3000/,https://b.example:443"),
        Ok(these(&["https://a.example", "http://localhost:3000", "https://b.example"]))
    );
    assert!(origins("a.example").is_err() && origins("*,https://a.example").is_err());
}

#[test]
fn networks_contain_addresses_in_either_form() {
    let networks = |text| Options::from_flags([("trusted-proxies", text)]).map(|options| options.trusted_proxies);
    let some = networks("10.0.0.0/16, 192.0.2.7,fd00::/8,::ffff:198.51.100.0/120").unwrap();
    for inside in ["10.0.255.1", "192.0.2.7", "fd00::1", "::ffff:10.0.0.1", "198.51.100.9"] {
        assert!(some.contain(inside.parse().unwrap()), "{inside}");
    }
    for outside in ["10.1.0.1", "192.0.2.8", "::1", "::ffff:192.0.2.8"] {
        assert!(!some.contain(outside.parse().unwrap()), "{outside}");
    }
    assert!(!networks("").unwrap().contain([127, 0, 0, 1].into()));
}
