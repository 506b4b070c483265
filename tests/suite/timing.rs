//! `Prefer: server-timing`, by both protocols.

use crate::{command::PASSWORD, program::Place};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::json;

/// The names in `Server-Timing`; each has a number of milliseconds.
fn stages(answer: &Response) -> Vec<String> {
    let Some(said) = answer.headers().get("server-timing") else { return Vec::new() };
    let entry = |entry: &str| {
        let (name, duration) = entry.split_once(";dur=").expect("a duration");
        assert!(duration.parse::<f64>().is_ok_and(|duration| duration >= 0.0), "{entry}");
        name.to_owned()
    };
    said.to_str().expect("a text").split(", ").map(entry).collect()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().expect("a text"))
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

#[tokio::test]
async fn the_stages_are_told_to_who_prefers_it() {
    let server = Place::empty().with("CORS_ALLOWED_ORIGINS", "https://app.example").serve();
    let (client, base) = (Client::new(), &server.base);
    let account = json!({ "email": "ada@example.com", "password": PASSWORD });
    let register = client.post(format!("{base}/auth/register")).header("prefer", "server-timing").json(&account);
    let registered = send(register).await;
    assert_eq!((registered.status().as_u16(), stages(&registered)), (201, vec![]), "nobody's business");
    let session: serde_json::Value = registered.json().await.expect("a session");
    let token = session["access_token"].as_str().expect("a token");

    let trees = || client.get(format!("{base}/trees")).header("origin", "https://app.example");
    assert_eq!(stages(&send(trees()).await), Vec::<String>::new());
    let all = ["auth", "parse", "plan", "authorize", "compile", "acquire", "execute", "total"];
    let first = send(trees().query(&[("select", "name")]).header("prefer", "server-timing")).await;
    assert_eq!(stages(&first), all);
    assert_eq!(header(&first, "preference-applied"), "server-timing");
    assert!(header(&first, "vary").contains("Prefer"), "{first:?}");
    let exposed = header(&first, "access-control-expose-headers");
    assert!(exposed.contains("server-timing") && exposed.contains("preference-applied"), "{exposed}");
    // What was planned before is not planned again.
    let strict = "count=exact, handling=strict, server-timing";
    let second = send(trees().query(&[("select", "name")]).header("prefer", "server-timing")).await;
    assert_eq!(stages(&second), ["auth", "parse", "acquire", "execute", "total"]);
    let counted = send(trees().header("prefer", strict)).await;
    assert_eq!(header(&counted, "preference-applied"), "count=exact, handling=strict, server-timing");
    let head = send(client.head(format!("{base}/trees/1")).header("prefer", "server-timing")).await;
    assert!(stages(&head).contains(&"execute".to_owned()), "{head:?}");
    let expense = json!({ "title": "Spade", "amount": "9.50" });
    let write = client.post(format!("{base}/expenses")).bearer_auth(token).json(&expense);
    let written = send(write.header("prefer", "server-timing")).await;
    assert_eq!(written.status(), 201);
    assert!(stages(&written).contains(&"execute".to_owned()), "{written:?}");

    let graphql = |query: &str| {
        let request = client.post(format!("{base}/graphql")).header("prefer", "server-timing");
        request.json(&json!({ "query": query }))
    };
    let answer = send(graphql("{ trees { nodes { name } } }")).await;
    assert_eq!(
        (stages(&answer), header(&answer, "preference-applied")),
        (all.map(str::to_owned).to_vec(), "server-timing")
    );
    let login = format!(
        "mutation {{ login(input: {{ email: \"ada@example.com\", password: \"{PASSWORD}\" }}) {{ expiresIn }} }}"
    );
    let login = send(graphql(&login)).await;
    assert_eq!((login.status().as_u16(), stages(&login)), (200, vec![]), "nobody's business");
    assert!(login.text().await.expect("a text").contains("expiresIn"));

    for path in ["/trees?select=nothing", "/nowhere", "/trees/999"] {
        let failed = send(client.get(format!("{base}{path}")).header("prefer", "server-timing")).await;
        assert!(failed.status().is_client_error() && stages(&failed).is_empty(), "{failed:?}");
    }
    // By the older media type a failed operation is 200 as well.
    for query in ["mutation { deleteTree(id: \"99999\") { id } }", "{ nothing }", "{ trees(first: -1) { totalCount } }"]
    {
        let failed = send(graphql(query)).await;
        assert!(stages(&failed).is_empty(), "{query}: {failed:?}");
    }
    let unknown = send(trees().header("prefer", "handling=strict, server-timing=1")).await;
    assert_eq!(unknown.status(), 400, "the preference has no value");
}
