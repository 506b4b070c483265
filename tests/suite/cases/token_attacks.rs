//! Attacks on tokens: each is 401 in both protocols, with the right header and a message of a fixed set, whether own
//! tokens, a pinned key or published keys stand behind the server.

mod table;

use crate::support::{
    Answer,
    Caller::*,
    Dialect, KEY, Server, Setup, on_both_with,
    provider::{Provider, claims, pinned, private, signed_text, token},
};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// All that a caller is told of a token that is not taken.
const MESSAGES: [&str; 28] = [
    "The Authorization header is not of the form \"Bearer <token>\"",
    "The token is malformed",
    "The token is longer than this server reads",
    "The token's header asks for what is not supported",
    "The token is not an access token",
    "The token is not signed by an algorithm of this server",
    "The token is not signed by a key that this server knows",
    "The token's claims are malformed",
    "The token has expired",
    "The token is not good yet",
    "The token was made in the future",
    "The token is of another issuer",
    "The token is for another audience",
    "The token has no claim \"sub\"",
    "The token has no claim \"exp\"",
    "The token has no claim \"iss\"",
    "The token has no claim \"aud\"",
    "The token's claim \"sub\" is malformed",
    "The token's claim \"exp\" is malformed",
    "The token's claim \"iat\" is malformed",
    "The token's claim \"nbf\" is malformed",
    "The token's claim \"iss\" is malformed",
    "The token's claim \"aud\" is malformed",
    "The token's claim \"jti\" is malformed",
    "The token's claim \"sid\" is malformed",
    "The token's claim \"role\" is malformed",
    "The account of the token is not there or has been disabled",
    "The account of the token is not there or has been disabled, or its session has ended",
];

/// A way to sign: the algorithm, the key, and a name for it.
struct Signer {
    what: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
    subject: String,
    kid: &'static str,
}

impl Signer {
    /// The server's own way.
    fn own(server: &Server) -> Self {
        let (key, subject) = (EncodingKey::from_secret(KEY.as_bytes()), server.person(User).id.clone());
        Self { what: "own", algorithm: Algorithm::HS256, key, subject, kid: "own" }
    }

    /// That of the provider with the key `name`.
    fn outside(name: &'static str) -> Self {
        let (algorithm, key) = private(name);
        Self { what: "outside", algorithm, key, subject: "auth0|ann".into(), kid: name }
    }

    fn header(&self, changes: Value) -> Value {
        let mut header = json!({ "alg": format!("{:?}", self.algorithm), "typ": "JWT", "kid": self.kid });
        for (name, value) in changes.as_object().expect("an object") {
            header[name] = value.clone();
        }
        header
    }

    fn claims(&self, changes: Value) -> Value {
        claims(&self.subject, changes)
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        signed_text(self.algorithm, &self.key, header, claims)
    }

    fn with_header(&self, changes: Value) -> String {
        self.sign(&self.header(changes).to_string(), &self.claims(json!({})).to_string())
    }

    fn with_claims(&self, changes: Value) -> String {
        self.sign(&self.header(json!({})).to_string(), &self.claims(changes).to_string())
    }

    /// Claims as a text, one of whose values JSON itself cannot be made of.
    fn with_text(&self, name: &str, value: &str) -> String {
        let claims = self.claims(json!({ name: "REPLACED" })).to_string();
        self.sign(&self.header(json!({})).to_string(), &claims.replacen("\"REPLACED\"", value, 1))
    }

    fn good(&self) -> String {
        self.with_claims(json!({}))
    }
}

/// Sends the token in both protocols, and expects to learn nothing.
async fn refused(server: &Server, what: &str, token: &str) {
    let answer = server.get_by(token, "/auth/me").await;
    let told = |answer: &Answer| {
        assert_eq!(answer.status, 401, "{what}: {}\n{token:.2000}", answer.text);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{what}");
        let failure = answer.failure();
        assert!(MESSAGES.contains(&failure.message.as_str()), "{what}: {}", answer.text);
        assert!(failure.hint.is_empty(), "{what}: {}", answer.text);
        failure.code
    };
    let code = told(&answer);
    assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{what}");
    assert!(["PGRST301", "PGRST303"].contains(&code.as_str()), "{what}: {}", answer.text);
    assert_eq!(answer.json()["details"], Value::Null, "{what}");
    // What anybody may read is not read with it either.
    told(&server.get_by(token, "/trees").await);
    let answer = server.graphql_by(token, "{ trees { totalCount } }").await;
    assert_eq!(told(&answer), "UNAUTHENTICATED", "{what}");
    assert_eq!(answer.json().get("data"), None, "{what}");
}

async fn all_are_refused(server: &Server, attacker: &Provider) {
    let (own, outside) = (Signer::own(server), Signer::outside("rsa"));
    let mut attacks = table::of_another_key(&own, &outside);
    attacks.extend(table::of_no_account(&own));
    for signer in [&own, &outside] {
        attacks.extend(table::of_another_form(signer));
        attacks.extend(table::of_a_bad_header(signer, &attacker.url));
        attacks.extend(table::of_bad_claims(signer));
    }
    assert!(attacks.len() > 200, "{}", attacks.len());
    for (what, token) in &attacks {
        refused(server, what, token).await;
    }
    // The control: what they were all made of is good.
    for signer in [&own, &outside] {
        let answer = server.get_by(&signer.good(), "/auth/me").await.expect(200);
        assert_eq!(answer.json()["role"], "user", "{}", signer.what);
    }
    assert_eq!(attacker.asked(), 0, "an address in a token is never gone to");
}

#[tokio::test]
async fn an_attack_on_a_token_is_401_where_the_outside_key_is_pinned() {
    let attacker = Provider::with_keys(&["rsa-other"]).await;
    let setup = || Setup { outside: pinned("rsa"), ..Setup::default() };
    on_both_with(setup, async |server| all_are_refused(server, &attacker).await).await;
}

#[tokio::test]
async fn an_attack_on_a_token_is_401_where_the_outside_keys_are_published() {
    let (attacker, provider) = (Provider::with_keys(&["rsa-other"]).await, Provider::with_keys(&["rsa"]).await);
    let setup = || Setup { outside: provider.trusted(), ..Setup::default() };
    on_both_with(setup, async |server| {
        // The name of a key is compared, and for nothing else.
        let signer = Signer::outside("rsa-other");
        for kid in ["../../../../dev/null", "rsa\0", "' union select 'x", "http://127.0.0.1/", "", &"k".repeat(256)] {
            refused(server, kid, &signer.with_header(json!({ "kid": kid }))).await;
        }
        all_are_refused(server, &attacker).await;
    })
    .await;
}

/// What is no token at all, and tokens of what is over.
#[tokio::test]
async fn a_token_of_an_account_that_is_gone_is_401() {
    on_both_with(
        || Setup { outside: pinned("rsa"), ..Setup::default() },
        async |server| {
            let own = Signer::own(server);
            server.sql(&format!("delete from users where id = {}", literal(server, &own.subject))).await;
            // Another instance, which remembers nothing of it.
            let server = server.another().await;
            refused(&server, "an account that is gone", &own.good()).await;
            let token = token("rsa", &claims("auth0|new", json!({})));
            server.get_by(&token, "/auth/me").await.expect(200);
        },
    )
    .await;
}

/// A UUID as the database writes it.
fn literal(server: &Server, id: &str) -> String {
    match server.dialect {
        Dialect::Sqlite => format!("x'{}'", id.replace('-', "")),
        Dialect::Postgres => format!("'{id}'"),
    }
}
